//! The README names every key, option and limit that there is, with its default.

use std::fmt::Debug;

use sigscope::{
    capture::filter,
    config::{File, Limits, Mask},
    tui::command::key_table_markdown,
};

const README: &str = include_str!("../README.md");

/// The fields of a value's outermost structure, with what they hold where that is one line.
fn fields(value: &impl Debug) -> Vec<(String, String)> {
    format!("{value:#?}")
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
        .filter(|(name, _)| !name.starts_with(' '))
        .map(|(name, value)| (name.to_owned(), value.trim_end_matches(',').to_owned()))
        .collect()
}

#[test]
fn it_has_the_keys_of_the_registry() {
    assert!(
        README.contains(key_table_markdown().trim_end()),
        "replace the tables under `## Keys` with:\n\n{}",
        key_table_markdown()
    );
}

#[test]
fn it_has_every_configuration_key() {
    let keys = fields(&File::default());
    assert!(keys.iter().any(|(name, _)| name == "listen"), "{keys:?}");
    for (name, _) in keys {
        if name != "mask" && name != "limits" {
            assert!(README.contains(&format!("\n| `{name}` | ")), "{name}");
        }
    }
    for (name, value) in fields(&Mask::default()) {
        let row = format!("\n| `mask.{name}` | `{value}` | ");
        assert!(README.contains(&row), "{row}");
    }
}

#[test]
fn it_has_every_limit_with_its_default() {
    let limits = fields(&Limits::default());
    assert!(limits.len() > 10, "{limits:?}");
    for (name, value) in limits {
        let row = format!("\n| `{name}` | {value} | ");
        assert!(README.contains(&row), "{row}");
    }
}

#[test]
fn it_has_the_filter_s_keys() {
    for (key, help) in filter::KEYS {
        let row = format!("\n| `{key}` | {help} |");
        assert!(README.contains(&row), "{row}");
    }
}
