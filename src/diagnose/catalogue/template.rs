//! Sentences and commands with names in braces: `{want}`, `{want|the right region}`.

/// Fills a sentence. A name without value and without fallback becomes "it".
pub(super) fn sentence(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    fill(template, &|name, fallback| {
        value(name)
            .or_else(|| fallback.map(str::to_owned))
            .unwrap_or_else(|| "it".to_owned())
    })
}

/// Fills a command to type. What comes from a message of someone else's is put in only where
/// no shell would read more into it; else, and for a name without value, the name itself
/// stands there in capitals. `None`: the whole command was to come from a value that is not
/// there.
pub(super) fn command(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(name) = template
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix("_command}"))
    {
        return value(&format!("{name}_command"));
    }
    Some(fill(template, &|name, fallback| {
        let given = value(name).filter(|text| !text.is_empty());
        given
            .as_deref()
            .and_then(word)
            .unwrap_or_else(|| match fallback {
                Some(fallback) => fallback.to_owned(),
                None => name.to_uppercase(),
            })
    }))
}

/// A word of a command, quoted where a shell would expand it; `None` where it holds what a
/// shell reads as more than a word.
pub(in crate::diagnose) fn word(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/._@+=,-".contains(&byte);
    if text.is_empty() || text.starts_with('-') || text.len() > 16 * 1024 {
        None
    } else if text.bytes().all(plain) {
        Some(text.to_owned())
    } else if text
        .bytes()
        .all(|byte| plain(byte) || b"*?".contains(&byte))
    {
        Some(format!("'{text}'"))
    } else {
        None
    }
}

fn fill(template: &str, value: &dyn Fn(&str, Option<&str>) -> String) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let (name, fallback) = name
            .split_once('|')
            .map_or((name, None), |(name, fallback)| (name, Some(fallback)));
        out.push_str(&value(name, fallback));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str) -> Option<String> {
        let value = match name {
            "region" => "eu-west-1",
            "arn" => "arn:aws:s3:::b/*",
            "bad" => "x; rm -rf ~",
            "read_command" => "aws iam get-policy",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn names_are_filled_or_fall_back() {
        assert_eq!(
            sentence("in {region}, not {x|here} nor {y}", &values),
            "in eu-west-1, not here nor it"
        );
        assert_eq!(sentence("a { b", &values), "a { b");
    }

    #[test]
    fn commands_take_no_words_that_a_shell_would_run() {
        let filled = command(
            "aws x --region {region} --arn {arn} --id {bad} --name {name|N}",
            &values,
        );
        let wanted = "aws x --region eu-west-1 --arn 'arn:aws:s3:::b/*' --id BAD --name N";
        assert_eq!(filled.as_deref(), Some(wanted));
        assert_eq!(
            command("{read_command}", &values).as_deref(),
            Some("aws iam get-policy")
        );
        assert_eq!(command("{other_command}", &values), None);
    }
}
