/// The account that a key id belongs to, twelve digits, computed without asking AWS.
///
/// Behind the four letters of its kind a key id is base32; the 40 bits after the first are
/// the account. Ids made before that scheme, which begin their base32 part with a letter
/// below `Q`, and ids of other makes have none.
pub fn account_of_key_id(key_id: &str) -> Option<String> {
    let (kind, rest) = key_id.split_at_checked(4)?;
    if !matches!(kind, "AKIA" | "ASIA") || rest.len() != 16 {
        return None;
    }
    let bits = rest.bytes().take(10).try_fold(0u64, |bits, letter| {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u64::from(value))
    })?;
    let marked = bits >> 49 == 1;
    let account = (bits >> 9) & ((1 << 40) - 1);
    (marked && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

/// The account in an ARN, where it is one.
pub(crate) fn account_of_arn(arn: &str) -> Option<String> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    let right = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{account_of_arn, account_of_key_id};

    #[test]
    fn account_stands_in_the_key_id() {
        // The published example of the scheme.
        assert_eq!(
            account_of_key_id("ASIAQNZGKIQY56JQ7WML").as_deref(),
            Some("029608264753")
        );
        for other in [
            "AKIAIOSFODNN7EXAMPLE",
            "SIGSCOPEABCDEFGHIJKL",
            "AKIA",
            "",
            "AKIAQ€",
        ] {
            assert_eq!(account_of_key_id(other), None, "{other}");
        }
    }

    #[test]
    fn account_of_an_arn() {
        let role = "arn:aws:iam::123456789012:role/x";
        assert_eq!(account_of_arn(role).as_deref(), Some("123456789012"));
        assert_eq!(account_of_arn("arn:aws:iam::12345:role/x"), None);
        assert_eq!(account_of_arn("role/x"), None);
    }
}
