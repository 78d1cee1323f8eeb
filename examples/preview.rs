#[path = "../tests/tui_fake/mod.rs"]
mod tui_fake;
use sigscope::tui::*;
use std::time::*;
fn main() {
    let load: usize = std::env::args().nth(1).map_or(0, |a| a.parse().unwrap());
    let engine = if std::env::args().nth(2).is_some() {
        tui_fake::Fake::empty()
    } else {
        tui_fake::Fake::with_rows(tui_fake::exchanges::all(), load)
    };
    engine.inner.lock().unwrap().status.expires_at =
        Some(SystemTime::now() + Duration::from_secs(2480));
    engine.inner.lock().unwrap().unsaved = 3;
    let depth = theme::Depth::from_env(|v| std::env::var(v).ok());
    let theme = std::env::var("THEME").unwrap_or("terminal".into());
    let e = run(
        engine,
        Options {
            depth,
            theme,
            ..Default::default()
        },
    );
    println!("{e:?}");
}
