//! Whatever is pressed, at whatever size: the screen survives.

mod tui_fake;

use proptest::prelude::*;
use sigscope::tui::{
    command::COMMANDS,
    key::Key,
    update::{Message, Mouse, MouseAction},
};
use tui_fake::{Fake, Stage, exchanges};

#[derive(Clone, Debug)]
enum Step {
    Press(Key),
    Mouse(Mouse),
    Resize(u16, u16),
    Paste(String),
    Arrive,
}

fn steps() -> impl Strategy<Value = Step> {
    let bound: Vec<Key> = COMMANDS.iter().flat_map(|spec| spec.bound()).collect();
    let action = prop_oneof![
        Just(MouseAction::Click),
        Just(MouseAction::WheelUp),
        Just(MouseAction::WheelDown)
    ];
    prop_oneof![
        12 => proptest::sample::select(bound).prop_map(Step::Press),
        3 => any::<char>().prop_map(|c| Step::Press(Key::char(c))),
        2 => (action, 0..260_u16, 0..90_u16)
            .prop_map(|(action, x, y)| Step::Mouse(Mouse { action, x, y })),
        2 => (1..=250_u16, 1..=80_u16).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => "\\PC{0,12}".prop_map(Step::Paste),
        1 => Just(Step::Arrive),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn nothing_panics(
        size in (1..=250_u16, 1..=80_u16),
        steps in proptest::collection::vec(steps(), 1..60),
    ) {
        let mut all = exchanges::all();
        all[5] = exchanges::long_body(6, 400);
        let mut stage = Stage::new(Fake::new(all), size.0, size.1);
        for step in steps {
            match step {
                Step::Press(key) => stage.send(Message::Key(key)),
                Step::Mouse(mouse) => stage.send(Message::Mouse(mouse)),
                Step::Resize(w, h) => stage.send(Message::Resize(w, h)),
                Step::Paste(text) => stage.send(Message::Paste(text)),
                Step::Arrive => {
                    stage.engine.add(exchanges::good_sts(1000));
                    &mut stage
                }
            };
            stage.screen();
        }
    }
}

#[test]
fn every_small_size_is_drawn() {
    let mut stage = Stage::new(Fake::new(exchanges::all()), 80, 24);
    for keys in [
        "", "3", "z", "?", "esc p", "esc r", "esc :", "esc /", "esc y", "esc q",
    ] {
        stage.keys(keys);
        for w in 1..45 {
            for h in 1..14 {
                stage.send(Message::Resize(w, h)).screen();
            }
        }
        stage.send(Message::Resize(80, 24));
    }
}
