/// How well `needle` fits `text` as a subsequence, ignoring case; `None` if it does not.
/// Runs, word beginnings and an early first hit score higher.
pub(crate) fn score(needle: &str, text: &str) -> Option<i32> {
    let hay: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut total = 0;
    let mut next = 0;
    let mut last: Option<usize> = None;
    for c in needle.chars().flat_map(char::to_lowercase) {
        if c.is_whitespace() {
            continue;
        }
        let found = (next..hay.len()).find(|&at| hay[at] == c)?;
        total += match last {
            Some(previous) if previous + 1 == found => 8,
            Some(previous) => -((found - previous).min(6) as i32),
            None => -(found.min(6) as i32),
        };
        if begins_word(&hay, found) {
            total += 6;
        }
        last = Some(found);
        next = found + 1;
    }
    Some(total - (hay.len() / 8) as i32)
}

fn begins_word(hay: &[char], at: usize) -> bool {
    at == 0 || !hay[at - 1].is_alphanumeric()
}

/// Positions of the items that fit, best first; all in their order for an empty needle.
pub(crate) fn ranked<'a>(needle: &str, items: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut fits: Vec<(i32, usize)> = items
        .enumerate()
        .filter_map(|(at, text)| score(needle, text).map(|score| (score, at)))
        .collect();
    if !needle.trim().is_empty() {
        fits.sort_by_key(|&(score, at)| (-score, at));
    }
    fits.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_fits_come_first() {
        let names = ["my-production", "prod", "pdx-root", "approved"];
        let order = ranked("prod", names.iter().copied());
        assert_eq!(order[0], 1);
        assert!(!order.contains(&2));
        assert_eq!(ranked("", names.iter().copied()), [0, 1, 2, 3]);
        assert_eq!(score("xyz", "prod"), None);
    }
}
