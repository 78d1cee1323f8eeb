/// Bytes in one line of the dump.
pub(crate) const WIDTH: usize = 16;

/// One line of a hex dump: offset, bytes in two groups, and what is printable of them.
pub(crate) fn line(bytes: &[u8], row: usize) -> String {
    use std::fmt::Write;
    let start = row * WIDTH;
    let chunk = &bytes[start.min(bytes.len())..(start + WIDTH).min(bytes.len())];
    let mut out = format!("{start:08x} ");
    for at in 0..WIDTH {
        if at % 8 == 0 {
            out.push(' ');
        }
        match chunk.get(at) {
            Some(byte) => drop(write!(out, "{byte:02x} ")),
            None => out.push_str("   "),
        }
    }
    out.push('│');
    out.extend(chunk.iter().map(|&byte| match byte {
        0x20..=0x7e => byte as char,
        _ => '·',
    }));
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_line_is_padded() {
        let bytes: Vec<u8> = (0x3e..0x50).collect();
        let last = super::line(&bytes, 1);
        assert!(last.starts_with("00000010  4e 4f    "), "{last}");
        assert!(last.ends_with("│NO"), "{last}");
    }
}
