//! What each role of text looks like, from a TOML file, in as many colours as the terminal
//! has.

use std::{collections::HashMap, fmt, path::Path};

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::state::Tone;

/// The themes that are built in.
const BUILT_IN: [(&str, &str); 6] = [
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    (
        "colour-blind-safe",
        include_str!("../../themes/colour-blind-safe.toml"),
    ),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None: whatever theme is asked for, it is `mono`.
    None,
    /// The sixteen of the terminal's palette.
    #[default]
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// All.
    True,
}

impl Depth {
    /// From the environment: `NO_COLOR` (not empty) and `TERM=dumb` mean none, `COLORTERM`
    /// and `TERM` tell the rest.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let term = var("TERM").unwrap_or_default();
        let colorterm = var("COLORTERM").unwrap_or_default();
        if var("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Self::None
        } else if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.contains("direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }
}

/// What each role of text looks like.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: HashMap<Tone, Style>,
}

/// What is wrong with a theme.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// There is none of that name.
    #[error("there is no theme “{0}”; there are {1}")]
    Unknown(String, String),
    /// It is no TOML, or has keys that no theme has.
    #[error("theme {name}: {error}")]
    Parse {
        /// The theme.
        name: String,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// A colour that is none.
    #[error(
        "theme {name}: “{colour}” is no colour: use a name of [palette], one of the sixteen, 0 to 255 or #rrggbb"
    )]
    Colour {
        /// The theme.
        name: String,
        /// The colour.
        colour: String,
    },
    /// Themes that inherit from each other.
    #[error("theme {0}: inherits too deep, perhaps from itself")]
    Deep(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    #[serde(default)]
    palette: HashMap<String, String>,
    #[serde(default)]
    ui: Ui,
    #[serde(default)]
    syntax: Syntax,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ui {
    text: Option<Look>,
    muted: Option<Look>,
    border: Option<Look>,
    focus: Option<Look>,
    title: Option<Look>,
    heading: Option<Look>,
    accent: Option<Look>,
    hint: Option<Look>,
    selection: Option<Look>,
    ok: Option<Look>,
    warning: Option<Look>,
    error: Option<Look>,
    changed: Option<Look>,
    masked: Option<Look>,
    r#match: Option<Look>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Syntax {
    key: Option<Look>,
    string: Option<Look>,
    number: Option<Look>,
    literal: Option<Look>,
    punctuation: Option<Look>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Look {
    Colour(String),
    Full(Full),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Full {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

impl File {
    fn looks(self) -> [(Tone, Option<Look>); 20] {
        let (ui, syntax) = (self.ui, self.syntax);
        [
            (Tone::Text, ui.text),
            (Tone::Muted, ui.muted),
            (Tone::Border, ui.border),
            (Tone::Focus, ui.focus),
            (Tone::Title, ui.title),
            (Tone::Heading, ui.heading),
            (Tone::Accent, ui.accent),
            (Tone::Hint, ui.hint),
            (Tone::Selection, ui.selection),
            (Tone::Ok, ui.ok),
            (Tone::Warning, ui.warning),
            (Tone::Error, ui.error),
            (Tone::Changed, ui.changed),
            (Tone::Masked, ui.masked),
            (Tone::Match, ui.r#match),
            (Tone::Key, syntax.key),
            (Tone::Str, syntax.string),
            (Tone::Number, syntax.number),
            (Tone::Literal, syntax.literal),
            (Tone::Punctuation, syntax.punctuation),
        ]
    }
}

impl Theme {
    /// Names of all themes: those built in, then the `*.toml` files of the directory.
    pub fn names(dir: Option<&Path>) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let entries = dir.and_then(|dir| std::fs::read_dir(dir).ok());
        let mut own: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_suffix(".toml").map(str::to_owned)
            })
            .filter(|name| !names.contains(name))
            .collect();
        own.sort();
        names.extend(own);
        names
    }

    /// A theme by name. A file of that name in `dir` goes before the one built in; without
    /// colours it is always `mono`.
    pub fn load(name: &str, dir: Option<&Path>, depth: Depth) -> Result<Self, ThemeError> {
        let name = if depth == Depth::None { "mono" } else { name };
        let mut styles = HashMap::new();
        collect(name, dir, depth, 0, &mut styles)?;
        Ok(Self {
            name: name.to_owned(),
            styles,
        })
    }

    /// The look of a role.
    pub fn style(&self, tone: Tone) -> Style {
        self.styles.get(&tone).copied().unwrap_or_default()
    }
}

fn source(name: &str, dir: Option<&Path>) -> Option<String> {
    // A theme is a name, not a path.
    let plain = !name.is_empty() && !name.contains(['/', '\\', '.']);
    let own = dir
        .filter(|_| plain)
        .and_then(|dir| std::fs::read_to_string(dir.join(format!("{name}.toml"))).ok());
    own.or_else(|| {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        built_in.map(|(_, text)| (*text).to_owned())
    })
}

fn collect(
    name: &str,
    dir: Option<&Path>,
    depth: Depth,
    level: usize,
    styles: &mut HashMap<Tone, Style>,
) -> Result<(), ThemeError> {
    if level > 8 {
        return Err(ThemeError::Deep(name.to_owned()));
    }
    let text = source(name, dir)
        .ok_or_else(|| ThemeError::Unknown(name.to_owned(), Theme::names(dir).join(", ")))?;
    let file: File = toml::from_str(&text).map_err(|error| ThemeError::Parse {
        name: name.to_owned(),
        error: Box::new(error),
    })?;
    if let Some(parent) = &file.inherits {
        collect(parent, dir, depth, level + 1, styles)?;
    }
    let palette = file.palette.clone();
    for (tone, look) in file.looks() {
        if let Some(look) = look {
            let style = style(&look, &palette, depth).map_err(|colour| ThemeError::Colour {
                name: name.to_owned(),
                colour,
            })?;
            styles.insert(tone, style);
        }
    }
    Ok(())
}

fn style(look: &Look, palette: &HashMap<String, String>, depth: Depth) -> Result<Style, String> {
    let full = match look {
        Look::Colour(fg) => Full {
            fg: Some(fg.clone()),
            ..Full::default()
        },
        Look::Full(full) => full.clone(),
    };
    let mut style = Style::new();
    if let Some(fg) = &full.fg {
        style.fg = colour(fg, palette, depth)?;
    }
    if let Some(bg) = &full.bg {
        style.bg = colour(bg, palette, depth)?;
    }
    let modifiers = [
        (full.bold, Modifier::BOLD),
        (full.dim, Modifier::DIM),
        (full.italic, Modifier::ITALIC),
        (full.underline, Modifier::UNDERLINED),
        (full.reverse, Modifier::REVERSED),
    ];
    for (on, modifier) in modifiers {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

/// `None` is the terminal's default.
fn colour(
    name: &str,
    palette: &HashMap<String, String>,
    depth: Depth,
) -> Result<Option<Color>, String> {
    let value = palette.get(name).map_or(name, String::as_str);
    if value == "default" {
        return Ok(None);
    }
    let colour: Color = value.parse().map_err(|_| name.to_owned())?;
    Ok(match depth {
        Depth::None => None,
        Depth::True => Some(colour),
        Depth::Ansi256 => Some(to_256(colour)),
        Depth::Ansi16 => Some(to_16(colour)),
    })
}

/// Steps of a channel in xterm's colour cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn to_256(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else {
        return colour;
    };
    let near = |channel: u8| {
        let distance = |&at: &usize| CUBE[at].abs_diff(channel);
        (0..CUBE.len()).min_by_key(distance).unwrap_or(0)
    };
    let (x, y, z) = (near(r), near(g), near(b));
    let cube = (CUBE[x], CUBE[y], CUBE[z]);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = 8 + step * 10;
    if distance((r, g, b), (grey, grey, grey)) < distance((r, g, b), cube) {
        Color::Indexed(232 + step)
    } else {
        Color::Indexed((16 + 36 * x + 6 * y + z) as u8)
    }
}

/// xterm's values of the sixteen.
const ANSI: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn to_16(colour: Color) -> Color {
    let rgb = match colour {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index) => match from_256(index) {
            Some(rgb) => rgb,
            None => return colour,
        },
        named => return named,
    };
    let nearest = ANSI.iter().min_by_key(|(_, ansi)| distance(rgb, *ansi));
    nearest.map_or(Color::Reset, |(colour, _)| *colour)
}

/// The value of an index beyond the sixteen.
fn from_256(index: u8) -> Option<(u8, u8, u8)> {
    match index {
        0..16 => None,
        16..232 => {
            let at = usize::from(index - 16);
            Some((CUBE[at / 36], CUBE[at / 6 % 6], CUBE[at % 6]))
        }
        grey => {
            let level = 8 + (grey - 232) * 10;
            Some((level, level, level))
        }
    }
}

/// Squared, weighted as the eye weighs the channels.
fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    3 * square(a.0, b.0) + 6 * square(a.1, b.1) + square(a.2, b.2)
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_degrade_to_their_nearest() {
        assert_eq!(to_256(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(to_256(Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(to_16(Color::Rgb(250, 10, 10)), Color::LightRed);
        assert_eq!(to_16(Color::Indexed(16)), Color::Black);
        assert_eq!(to_16(Color::Green), Color::Green);
    }

    #[test]
    fn no_color_means_no_colour() {
        let env = |set: &'static [(&'static str, &'static str)]| {
            Depth::from_env(move |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(
            env(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]),
            Depth::None
        );
        assert_eq!(
            env(&[("NO_COLOR", ""), ("COLORTERM", "24bit")]),
            Depth::True
        );
        assert_eq!(env(&[("TERM", "dumb")]), Depth::None);
        assert_eq!(env(&[("TERM", "xterm-256color")]), Depth::Ansi256);
        assert_eq!(env(&[("TERM", "linux")]), Depth::Ansi16);
    }
}
