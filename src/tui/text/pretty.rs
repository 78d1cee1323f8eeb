//! Layout for reading. Everything here takes cut, broken and foreign input: what is no
//! JSON or XML comes out as it went in, only with other blanks.

use super::lex::Syntax;

/// A body laid out for reading, and how to colour it.
pub(crate) fn pretty(text: &str, content_type: &str, rendered: &str) -> (String, Syntax) {
    match guess(text, content_type, rendered) {
        Syntax::Json => (json(text), Syntax::Json),
        Syntax::Xml => (xml(text), Syntax::Xml),
        Syntax::Form => (form(text), Syntax::Form),
        other => (text.to_owned(), other),
    }
}

/// What a body is, by its type, else by its beginning.
pub(crate) fn guess(text: &str, content_type: &str, rendered: &str) -> Syntax {
    let kind = content_type.to_ascii_lowercase();
    let first = text.trim_start().as_bytes().first().copied();
    let structured = matches!(first, Some(b'{' | b'['));
    if rendered.contains("cbor") || (kind.contains("json") && structured) {
        Syntax::Json
    } else if kind.contains("x-www-form-urlencoded") && first != Some(b'<') {
        Syntax::Form
    } else if first == Some(b'<') {
        Syntax::Xml
    } else if structured {
        Syntax::Json
    } else {
        Syntax::Plain
    }
}

const INDENT: &str = "  ";

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth.min(40) {
        out.push_str(INDENT);
    }
}

/// One member a line; numbers, strings and order exactly as they came.
fn json(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at);
                out.push_str(&text[at..end]);
                at = end;
                continue;
            }
            open @ (b'{' | b'[') => {
                out.push(open as char);
                let next = skip_blanks(bytes, at + 1);
                if matches!(bytes.get(next), Some(b'}' | b']')) {
                    out.push(bytes[next] as char);
                    at = next + 1;
                    continue;
                }
                depth += 1;
                break_line(&mut out, depth);
            }
            close @ (b'}' | b']') => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(close as char);
            }
            b',' => {
                out.push(',');
                break_line(&mut out, depth);
            }
            b':' => out.push_str(": "),
            b'\n' if depth == 0 && !out.is_empty() => out.push('\n'),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                let end = word_end(bytes, at);
                out.push_str(&text[at..end]);
                at = end;
                continue;
            }
        }
        at += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(n) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += n;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .map_or(bytes.len(), |n| from + n)
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    bytes[from + 1..]
        .iter()
        .position(|b| b"\"{}[],: \t\r\n".contains(b))
        .map_or(bytes.len(), |n| from + 1 + n)
}

/// One element a line; an element that holds only text stays on one line.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    let mut depth = 0_usize;
    let mut rest = text.trim();
    let mut after_open = false;
    while !rest.is_empty() {
        let Some(open) = rest.find('<') else {
            out.push_str(rest);
            break;
        };
        let (between, tag) = rest.split_at(open);
        let end = tag_end(tag);
        let closing = tag.starts_with("</");
        let void = tag.starts_with("<?") || tag.starts_with("<!") || tag[..end].ends_with("/>");
        if closing {
            depth = depth.saturating_sub(1);
        }
        let held = !between.trim().is_empty();
        if held && after_open && closing {
            out.push_str(between);
        } else {
            if held {
                break_line(&mut out, depth + usize::from(closing));
                out.push_str(between.trim());
            }
            if !out.is_empty() && !(closing && after_open) {
                break_line(&mut out, depth);
            }
        }
        out.push_str(&tag[..end]);
        after_open = !closing && !void;
        depth += usize::from(after_open);
        rest = &tag[end..];
    }
    out
}

fn tag_end(tag: &str) -> usize {
    let (mark, length) = match tag {
        _ if tag.starts_with("<!--") => ("-->", 3),
        _ if tag.starts_with("<![CDATA[") => ("]]>", 3),
        _ => (">", 1),
    };
    tag.find(mark).map_or(tag.len(), |at| at + length)
}

/// One pair a line, decoded.
fn form(text: &str) -> String {
    let pairs: Vec<String> = text
        .trim_end()
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => format!("{} = {}", decoded(name), decoded(value)),
            None => decoded(pair),
        })
        .collect();
    pairs.join("\n")
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let plain = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    plain.replace('\n', "␊").replace('\r', "␍")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_numbers_and_order() {
        let (out, _) = pretty(
            r#"{"b":1.00,"a":[1,{}],"c":"x,{y"}"#,
            "application/json",
            "",
        );
        assert_eq!(
            out,
            "{\n  \"b\": 1.00,\n  \"a\": [\n    1,\n    {}\n  ],\n  \"c\": \"x,{y\"\n}"
        );
    }

    #[test]
    fn xml_keeps_text_on_the_line() {
        let (out, _) = pretty("<?xml version=\"1.0\"?><A x=\"1\"><B>t</B><C/></A>", "", "");
        assert_eq!(
            out,
            "<?xml version=\"1.0\"?>\n<A x=\"1\">\n  <B>t</B>\n  <C/>\n</A>"
        );
    }

    #[test]
    fn a_form_is_decoded() {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let (out, _) = pretty("Action=GetCallerIdentity&Name=a+b%2Fc", kind, "");
        assert_eq!(out, "Action = GetCallerIdentity\nName = a b/c");
    }

    #[test]
    fn cut_input_is_no_trouble() {
        for text in [
            "{\"a\": \"b",
            "{\"a\\",
            "[1,2",
            "<A><B",
            "<",
            "]]",
            "<!--x",
            "{é\"日",
        ] {
            for kind in [
                "application/json",
                "text/xml",
                "application/x-www-form-urlencoded",
            ] {
                pretty(text, kind, "");
            }
        }
    }
}
