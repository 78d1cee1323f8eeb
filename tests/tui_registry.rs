//! The registry, the themes and the walls between the parts.

use std::{collections::HashSet, fs, path::Path};

use ratatui::style::Style;
use sigscope::tui::{
    command::{COMMANDS, Context, key_table_markdown},
    key::Key,
    state::Tone,
    theme::{Depth, Theme},
};

const TONES: [Tone; 20] = [
    Tone::Text,
    Tone::Muted,
    Tone::Border,
    Tone::Focus,
    Tone::Title,
    Tone::Heading,
    Tone::Accent,
    Tone::Hint,
    Tone::Selection,
    Tone::Ok,
    Tone::Warning,
    Tone::Error,
    Tone::Changed,
    Tone::Masked,
    Tone::Match,
    Tone::Key,
    Tone::Str,
    Tone::Number,
    Tone::Literal,
    Tone::Punctuation,
];

#[test]
fn no_key_means_two_things_at_once() {
    use Context::{Always, Both, List, Menu, Pane, Text};
    let mut bound = HashSet::new();
    for spec in COMMANDS {
        for key in spec.keys {
            let parsed = Key::parse(key).unwrap_or_else(|| panic!("no key {key}"));
            assert_eq!(parsed.to_string(), *key);
            assert!(bound.insert((spec.context, parsed)), "{key} twice");
        }
    }
    // A key of the list or of a pane may not hide one that is for both, nor one of these
    // one that always works.
    for (inner, outer) in [(List, Both), (Pane, Both)] {
        for (_, key) in bound.iter().filter(|(context, _)| *context == inner) {
            assert!(!bound.contains(&(outer, *key)), "{key}");
        }
    }
    for (_, key) in bound.iter().filter(|(context, _)| *context == Always) {
        for context in [List, Pane, Both, Menu, Text] {
            assert!(!bound.contains(&(context, *key)), "{key}");
        }
    }
}

#[test]
fn names_are_unique_and_helped() {
    let names: HashSet<_> = COMMANDS.iter().map(|spec| spec.name).collect();
    assert_eq!(names.len(), COMMANDS.len());
    assert!(COMMANDS.iter().all(|spec| !spec.help.is_empty()));
}

#[test]
fn in_a_text_every_letter_is_text() {
    let text = |spec: &&_| {
        let spec: &sigscope::tui::command::Spec = spec;
        matches!(
            spec.context,
            Context::Text | Context::Menu | Context::Always
        )
    };
    for spec in COMMANDS.iter().filter(text) {
        assert!(
            spec.bound().all(|key| key.text().is_none()),
            "{}",
            spec.name
        );
    }
}

#[test]
fn the_key_table() {
    insta::assert_snapshot!(key_table_markdown());
}

#[test]
fn every_theme_says_how_every_role_looks() {
    let names = Theme::names(None);
    assert_eq!(names.len(), 6);
    for name in names {
        for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
            let theme = Theme::load(&name, None, depth).unwrap();
            let plain = theme.style(Tone::Text);
            assert_ne!(theme.style(Tone::Selection), plain, "{name}");
            assert_ne!(theme.style(Tone::Error), plain, "{name}");
        }
    }
}

#[test]
fn without_colour_there_is_none_at_all() {
    for name in ["mono", "dark"] {
        let theme = Theme::load(name, None, Depth::None).unwrap();
        assert_eq!(theme.name, "mono");
        for tone in TONES {
            let Style { fg, bg, .. } = theme.style(tone);
            assert_eq!((fg, bg), (None, None), "{tone:?}");
        }
    }
    // The colourless theme is colourless in colour, too.
    let theme = Theme::load("mono", None, Depth::True).unwrap();
    assert!(TONES.iter().all(|tone| theme.style(*tone).fg.is_none()));
}

#[test]
fn own_themes_go_before_those_built_in_and_errors_point_at_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let load = |name| Theme::load(name, Some(dir.path()), Depth::True);
    write("mine.toml", "inherits = \"dark\"\n[ui]\nok = \"#00ff00\"\n");
    let mine = load("mine").unwrap();
    assert_ne!(mine.style(Tone::Ok), load("dark").unwrap().style(Tone::Ok));
    assert_eq!(
        mine.style(Tone::Key),
        load("dark").unwrap().style(Tone::Key)
    );
    assert!(Theme::names(Some(dir.path())).contains(&"mine".to_owned()));
    write("typo.toml", "[ui]\nokk = \"red\"\n");
    let error = load("typo").unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("okk"), "{error}");
    write("colour.toml", "[ui]\nok = \"reddish\"\n");
    assert!(
        load("colour")
            .unwrap_err()
            .to_string()
            .contains("“reddish”")
    );
    write("loop.toml", "inherits = \"loop\"\n");
    assert!(load("loop").unwrap_err().to_string().contains("inherits"));
    assert!(
        load("../mine")
            .unwrap_err()
            .to_string()
            .contains("there are terminal")
    );
}

#[test]
fn state_and_update_do_not_know_the_terminal() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    let mut seen = 0;
    for part in ["state", "update", "text"] {
        for entry in fs::read_dir(src.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            for name in ["ratatui", "crossterm", "tui_textarea"] {
                assert!(!text.contains(name), "{} names {name}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 10);
}
