#[path = "../tests/tui_fake/mod.rs"]
mod tui_fake;
use sigscope::tui::{theme::*, view};
use std::time::*;
fn main() {
    let engine = tui_fake::Fake::with_rows(tui_fake::exchanges::all(), 100_000);
    let mut stage = tui_fake::Stage::new(engine.clone(), 200, 60);
    let theme = Theme::load("dark", None, Depth::True).unwrap();
    let mut term = ratatui::Terminal::new(ratatui::backend::TestBackend::new(200, 60)).unwrap();
    stage.keys("k k");
    for what in ["idle", "bumped", "moving"] {
        let mut worst = Duration::ZERO;
        let mut sum = Duration::ZERO;
        for i in 0..50 {
            if what == "bumped" {
                engine.bump();
            }
            if what == "moving" {
                stage.keys(if i % 2 == 0 { "k" } else { "j" });
            }
            let t = Instant::now();
            stage.app.prepare(engine.as_ref());
            term.draw(|f| view::draw(f, &stage.app, &theme)).unwrap();
            let t = t.elapsed();
            worst = worst.max(t);
            sum += t;
        }
        println!("{what}: mean {:?} worst {:?}", sum / 50, worst);
    }
}
