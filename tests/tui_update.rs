//! What keys, mouse and messages do.

mod tui_fake;

use std::time::Duration;

use sigscope::tui::{
    effect::{Effect, check_clipboard},
    state::{Focus, Layer, PaneId},
    update::{Message, Mouse, MouseAction},
};
use tui_fake::{Fake, Stage, exchanges, now};

fn stage() -> Stage {
    Stage::new(Fake::new(exchanges::all()), 80, 24)
}

#[test]
fn keys_move_where_they_say() {
    // Keys, then the selected exchange and the focus.
    use Focus::{List, Pane};
    let cases = [
        ("", 8, List),
        ("k", 7, List),
        ("g", 1, List),
        ("g j j", 3, List),
        ("g G", 8, List),
        ("g ctrl-d", 4, List),
        ("g pgdn", 7, List),
        ("g pgdn pgup", 1, List),
        ("g j enter", 2, Pane(PaneId::Request)),
        ("g l", 1, Pane(PaneId::Request)),
        ("3", 8, Pane(PaneId::Return)),
        ("3 esc", 8, List),
        ("3 q", 8, List),
        ("3 esc enter", 8, Pane(PaneId::Return)),
        ("tab tab", 8, Pane(PaneId::Body)),
        ("shift-tab", 8, Pane(PaneId::Timing)),
        ("tab shift-tab", 8, List),
        ("g 2 J J", 3, Pane(PaneId::Body)),
        ("g 2 J J K", 2, Pane(PaneId::Body)),
    ];
    for (keys, id, focus) in cases {
        let mut stage = stage();
        stage.keys(keys);
        assert_eq!(stage.app.selected(), Some(id), "{keys}");
        assert_eq!(stage.app.focus, focus, "{keys}");
    }
}

#[test]
fn the_list_follows_until_the_operator_moves() {
    let mut stage = stage();
    stage.engine.add(exchanges::good_sts(9));
    stage.send(Message::Tick(now()));
    assert_eq!(stage.app.selected(), Some(9));
    stage.keys("k");
    stage.engine.add(exchanges::good_sts(10));
    stage.send(Message::Tick(now()));
    assert_eq!(stage.app.selected(), Some(8));
    stage.keys("F");
    assert_eq!(stage.app.selected(), Some(10));
    stage.keys("1");
    stage.engine.add(exchanges::good_sts(11));
    stage.send(Message::Tick(now()));
    assert_eq!(stage.app.selected(), Some(10), "what is read stays");
}

#[test]
fn the_selection_keeps_its_exchange_under_a_filter() {
    let mut stage = stage();
    stage.keys("g j j").keys("/").typed("s3");
    assert_eq!(stage.app.list.info.matching, 2);
    assert_eq!(stage.app.selected(), Some(3));
    stage.keys("enter");
    assert_eq!(stage.app.filter, "s3");
    stage.keys("esc");
    assert_eq!(stage.app.filter, "");
    assert_eq!((stage.app.selected(), stage.app.list.cursor), (Some(3), 2));
}

#[test]
fn a_wrong_filter_is_never_applied() {
    let mut stage = stage();
    stage.keys("/").typed("(").keys("enter");
    assert!(stage.app.filter_error.is_some());
    assert!(matches!(stage.app.layers.last(), Some(Layer::Prompt(_))));
    stage.keys("esc");
    assert_eq!(stage.app.list.info.matching, 8);
    assert!(stage.app.layers.is_empty() && stage.app.filter.is_empty());
}

#[test]
fn filters_are_remembered() {
    let mut stage = stage();
    stage.keys("/").typed("s3").keys("enter /").keys("ctrl-u");
    stage.typed("sts").keys("enter / up up");
    let Some(Layer::Prompt(prompt)) = stage.app.layers.last() else {
        panic!("no prompt");
    };
    assert_eq!(prompt.field.text(), "s3");
}

#[test]
fn a_replay_that_changes_something_asks_first() {
    let mut stage = stage();
    stage.keys("g j j r");
    assert!(stage.engine.log().is_empty());
    stage.keys("enter");
    assert!(stage.engine.log().is_empty(), "enter takes the safe answer");
    stage.keys("r r");
    assert_eq!(stage.engine.log(), ["replay 3 None None"]);
    stage.keys("r a r");
    assert_eq!(stage.engine.log().len(), 3, "and is not asked again");
}

#[test]
fn a_replay_that_reads_is_sent_at_once_and_linked() {
    let mut stage = stage();
    stage.keys("g r");
    assert_eq!(stage.engine.log(), ["replay 1 None None"]);
    stage.keys("P");
    assert_eq!(stage.app.selected(), Some(9), "to the new one");
    stage.keys("P");
    assert_eq!(stage.app.selected(), Some(1), "and back");
}

#[test]
fn replay_as_asks_for_profile_and_region() {
    let mut stage = stage();
    stage.keys("g R").typed("stag").keys("enter");
    let Some(Layer::Prompt(prompt)) = stage.app.layers.last() else {
        panic!("no prompt");
    };
    assert_eq!(prompt.field.text(), "us-west-2");
    stage.keys("ctrl-u").typed("eu-west-1").keys("enter");
    let log = stage.engine.log();
    assert_eq!(log, ["replay 1 Some(\"staging\") Some(\"eu-west-1\")"]);
}

#[test]
fn the_profile_is_switched_live() {
    let mut stage = stage();
    stage.keys("p").typed("stg").keys("enter");
    assert_eq!(stage.app.status.profile.as_deref(), Some("staging"));
    assert!(stage.screen().contains("signing as staging"));
    stage.typed(":profile default").keys("enter");
    assert_eq!(stage.app.status.profile.as_deref(), Some("default"));
    stage.typed(":profile prod-admin").keys("enter");
    let toast = stage.app.toast.clone().unwrap().text;
    let last = toast.split(' ').next_back().unwrap();
    assert!(
        stage.screen().contains(last),
        "what to do next is cut: {toast}"
    );
    assert_eq!(stage.app.status.profile.as_deref(), Some("default"));
}

#[test]
fn typed_commands_do_what_keys_do() {
    let cases: [(&str, Effect); 4] = [
        (
            "save out.session is:error",
            Effect::Save {
                path: "out.session".to_owned(),
                filter: Some("is:error".to_owned()),
                overwrite: false,
            },
        ),
        ("as-signed", Effect::SetAsSigned(true)),
        ("theme dark", Effect::Theme("dark".to_owned())),
        ("q!", Effect::Quit),
    ];
    for (text, effect) in cases {
        let mut stage = stage();
        stage.keys(":").typed(text).keys("enter");
        assert_eq!(stage.effects.last(), Some(&effect), "{text}");
    }
    let mut stage = stage();
    stage.keys(":").typed("save exists").keys("enter");
    assert!(stage.screen().contains(":save! exists writes over it"));
    stage.keys(":").typed("frobnicate").keys("enter");
    assert!(stage.screen().contains("there is no command “frobnicate”"));
    stage
        .keys(":")
        .typed("filt")
        .keys("tab")
        .typed("s3")
        .keys("enter");
    assert_eq!(stage.app.filter, "s3");
}

#[test]
fn quitting_offers_to_save() {
    let unsaved = || {
        let engine = Fake::new(exchanges::all());
        engine.inner.lock().unwrap().unsaved = 8;
        Stage::new(engine, 80, 24)
    };
    let mut stage = unsaved();
    stage.keys("q esc");
    assert!(stage.effects.is_empty() && stage.app.layers.is_empty());
    stage.keys("q s enter");
    assert!(stage.engine.log()[0].starts_with("save sigscope.session"));
    assert_eq!(stage.effects.last(), Some(&Effect::Quit));
    let mut stage = unsaved();
    stage.keys("q q");
    assert_eq!(stage.effects, [Effect::Quit]);
    let mut stage = unsaved();
    stage.keys("/ ctrl-c");
    assert_eq!(stage.effects, [Effect::Quit], "whatever lies on top");
    let mut stage = unsaved();
    stage.keys("q s ctrl-u").typed("exists").keys("enter");
    assert_ne!(
        stage.effects.last(),
        Some(&Effect::Quit),
        "nothing was saved"
    );
}

#[test]
fn esc_takes_off_one_layer() {
    let mut stage = stage();
    stage.keys("/").typed("s3").keys("enter 3 z ?");
    assert_eq!(stage.app.layers.len(), 1);
    stage.keys("esc");
    assert!(stage.app.layers.is_empty() && stage.app.zoom);
    stage.keys("esc");
    assert!(!stage.app.zoom && stage.app.focus == Focus::Pane(PaneId::Return));
    stage.keys("esc");
    assert!(stage.app.focus == Focus::List && stage.app.filter == "s3");
    stage.keys("esc");
    assert_eq!(stage.app.filter, "");
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut stage = Stage::new(Fake::empty(), 80, 24);
    stage.keys("r");
    assert!(stage.screen().contains("replay: no exchange is selected"));
    let engine = Fake::new(exchanges::all());
    engine.inner.lock().unwrap().status.viewing = Some("old.session".to_owned());
    let mut stage = Stage::new(engine, 80, 24);
    stage.keys("r");
    assert!(stage.screen().contains("old.session is only looked at"));
    assert!(stage.engine.log().is_empty());
}

#[test]
fn copies_are_what_they_say() {
    let cases = [
        ("g j 1 j j j y v", "application/x-amz-json-1.1"),
        (
            "g j 1 j j j y h",
            "Content-Type: application/x-amz-json-1.1",
        ),
        ("g j 2 G k k k k k y v", "prod/db"),
        ("g j y i", "7f0c2a5e-5d0b-4c57-a5a3-2f6f0f0c9f11"),
        ("g j y c", "Curl of 2"),
        ("g j y j", "Json of 2"),
        (
            "g j 5 j j j j j j y v",
            "aws configure set region eu-central-1 --profile pdx",
        ),
    ];
    for (keys, expected) in cases {
        let mut stage = stage();
        stage.keys(keys);
        let Some(Effect::Copy(_, text)) = stage.effects.last() else {
            panic!("{keys} copied nothing: {:?}", stage.effects);
        };
        assert_eq!(text, expected, "{keys}");
    }
    let mut stage = stage();
    stage.keys("g j y s");
    assert!(matches!(stage.effects.last(), Some(Effect::Copy(_, text))
        if text.starts_with("AWS4-HMAC-SHA256\n")));
    stage.keys("y h");
    assert!(stage.screen().contains("go to a header first"));
}

#[test]
fn the_clipboard_has_a_limit() {
    assert!(check_clipboard(&"x".repeat(56_000)).is_ok());
    let why = check_clipboard(&"x".repeat(57_000)).unwrap_err();
    assert!(why.starts_with("too large for OSC 52"), "{why}");
}

#[test]
fn a_pane_is_searched() {
    let mut stage = Stage::new(Fake::new(vec![exchanges::long_body(1, 10_000)]), 80, 24);
    stage.keys("3 /").typed("\"N\": \"77").keys("enter");
    let pane = &stage.app.panes[PaneId::Return.index()];
    assert_eq!(pane.found.len(), 11);
    let first = pane.cursor;
    stage.keys("n n N");
    assert_eq!(stage.app.panes[PaneId::Return.index()].cursor, first + 3465);
    stage.keys("/ ctrl-u").typed("absent").keys("esc");
    assert_eq!(
        stage.app.panes[PaneId::Return.index()].found.len(),
        11,
        "esc restores"
    );
}

#[test]
fn marks_are_kept_by_the_engine() {
    let mut stage = stage();
    stage.keys("g space j space space");
    assert_eq!(stage.engine.inner.lock().unwrap().marked, [1]);
    stage.keys("k");
    assert!(stage.screen().contains("▸*  1"), "{}", stage.screen());
}

#[test]
fn the_mouse_reaches_what_it_points_at() {
    let mut stage = stage();
    let mut at = |action, x, y| {
        stage.send(Message::Mouse(Mouse { action, x, y }));
        (stage.app.selected(), stage.app.focus)
    };
    let (wheel, click) = (MouseAction::WheelUp, MouseAction::Click);
    assert_eq!(at(wheel, 5, 5), (Some(6), Focus::List));
    assert_eq!(at(click, 5, 3), (Some(1), Focus::List));
    assert_eq!(at(click, 20, 5), (Some(3), Focus::List));
    assert_eq!(at(click, 36, 10), (Some(3), Focus::Pane(PaneId::Return)));
    assert_eq!(at(click, 10, 12), (Some(3), Focus::Pane(PaneId::Return)));
    at(MouseAction::WheelDown, 10, 15);
    let pane = &stage.app.panes[PaneId::Return.index()];
    assert_eq!(pane.cursor.max(pane.top), pane.cursor);
}

#[test]
fn notices_go_after_five_seconds() {
    let mut stage = stage();
    stage.keys("m");
    let until = stage.app.toast.as_ref().unwrap().until;
    assert_eq!(until, now() + Duration::from_secs(5));
    assert_eq!(stage.app.wake_at(), Some(until));
    stage.send(Message::Tick(until));
    assert!(stage.app.toast.is_none());
}

#[test]
fn themes_are_tried_on_and_taken_back() {
    let mut stage = stage();
    stage.keys("T down");
    assert_eq!(stage.app.theme, "dark");
    stage.keys("esc");
    assert_eq!(stage.app.theme, "terminal");
}
