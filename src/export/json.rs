//! The JSON line: `proxy --format jsonl`, the session file, `export --as jsonl`.

use std::io::{self, Write};

use crate::capture::Exchange;

/// One exchange as one line without its end. Every key of the contract is there, `null`
/// where a stage was not reached.
pub fn to_json(exchange: &Exchange) -> Vec<u8> {
    exchange.to_json()
}

/// Writes a line that [`to_json`] made, with its end. For a buffered writer.
pub fn write_line(out: &mut dyn Write, json: &[u8]) -> io::Result<()> {
    out.write_all(json)?;
    out.write_all(b"\n")
}
