//! What the operator sees, at every size that matters.

mod tui_fake;

use sigscope::capture::Exchange;
use tui_fake::{Fake, Stage, exchanges};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 36), (200, 60), (40, 12)];

fn snapshot(name: &str, stage: &mut Stage) {
    insta::assert_snapshot!(name.to_owned(), stage.screen());
}

#[test]
fn every_pane_at_every_size() {
    for (w, h) in SIZES {
        for pane in 1..=6 {
            let mut stage = Stage::new(Fake::new(exchanges::all()), w, h);
            stage.keys(&format!("g j {pane}"));
            snapshot(&format!("pane_{pane}_{w}x{h}"), &mut stage);
        }
    }
}

#[test]
fn the_list_at_every_size() {
    for (w, h) in SIZES {
        let mut stage = Stage::new(Fake::new(exchanges::all()), w, h);
        snapshot(&format!("list_{w}x{h}"), &mut stage);
        let mut stage = Stage::new(Fake::empty(), w, h);
        snapshot(&format!("empty_{w}x{h}"), &mut stage);
    }
}

#[test]
fn every_kind_of_exchange() {
    let cases: [(&str, Exchange, &str); 7] = [
        ("as_sent", exchanges::good_sts(1), "1 t"),
        ("chunked_body", exchanges::chunked_put(1), "2"),
        ("fault_return", exchanges::fault(1), "3"),
        ("fault_why", exchanges::fault(1), "5"),
        ("invalid_client_why", exchanges::invalid_client(1), "5"),
        ("binary_return", exchanges::binary(1), "3"),
        ("signing_to_the_end", exchanges::good_sts(1), "4 z G"),
    ];
    for (name, exchange, keys) in cases {
        let mut stage = Stage::new(Fake::new(vec![exchange]), 100, 30);
        stage.keys(keys);
        snapshot(name, &mut stage);
    }
}

#[test]
fn everything_that_lies_on_top() {
    let cases = [
        ("help", "g j ?"),
        ("help_search", "g j ? c u r l"),
        ("profiles", "p"),
        ("profiles_search", "p s t g"),
        ("themes", "T"),
        ("copy", "g j 1 j j j y"),
        ("replay_question", "g j j r"),
        ("quit_question", "q"),
        ("command", ":"),
        ("command_half", ": p r o"),
        ("filter", "/ s t s"),
        ("filter_wrong", "/ ("),
        ("filter_nothing", "/ n o n e enter"),
        ("search", "g j 3 / s i g n enter"),
        ("replay_region", "g j R enter"),
    ];
    for (name, keys) in cases {
        let engine = Fake::new(exchanges::all());
        engine.inner.lock().unwrap().unsaved = 8;
        let mut stage = Stage::new(engine, 80, 24);
        stage.keys(keys);
        snapshot(&format!("top_{name}"), &mut stage);
    }
}

#[test]
fn a_row_without_its_record_says_why() {
    let mut stage = Stage::new(Fake::with_rows(exchanges::all(), 500), 80, 24);
    stage.keys("g 3");
    let screen = stage.screen();
    assert!(screen.contains("Only the row of #1 is left."), "{screen}");
    assert!(screen.contains("--session FILE keeps all"), "{screen}");
}

#[test]
fn states_are_words_not_only_colours() {
    let engine = Fake::new(exchanges::all());
    {
        let status = &mut engine.inner.lock().unwrap().status;
        status.as_signed = true;
        status.read_only = true;
        status.not_recorded = 12;
        status.session_error = Some("disk full".to_owned());
        status.expires_at = Some(tui_fake::now());
        status
            .notes
            .push("HTTPS_PROXY points at us and is ignored".to_owned());
    }
    let screen = Stage::new(engine, 200, 60).screen();
    for word in [
        "AS SIGNED",
        "READ-ONLY",
        "12 not recorded",
        "session file",
        "✗ disk full",
        "0s left!",
        "! HTTPS_PROXY points at us",
    ] {
        assert!(screen.contains(word), "{word} is missing:\n{screen}");
    }
}

#[test]
fn a_narrow_title_keeps_listener_profile_and_account() {
    let shown = |w| {
        let screen = Stage::new(Fake::new(exchanges::all()), w, 24).screen();
        screen.lines().next().unwrap().to_owned()
    };
    let order = ["skew", "exchanges", "failed", "us-west-2", "41m left"];
    let mut before = order.len();
    for w in (38..=130).rev() {
        let title = shown(w);
        for word in ["127.0.0.1:8787", "pdx", "123456789012"] {
            assert!(title.contains(word), "{w}: {title}");
        }
        let gone = order
            .iter()
            .take_while(|word| !title.contains(**word))
            .count();
        let left = order.iter().filter(|word| title.contains(**word)).count();
        assert_eq!(
            gone + left,
            order.len(),
            "dropped out of order at {w}: {title}"
        );
        assert!(left <= before);
        before = left;
    }
    assert_eq!(before, 0);
}

#[test]
fn ten_thousand_lines_scroll_to_the_end() {
    let mut stage = Stage::new(Fake::new(vec![exchanges::long_body(1, 10_000)]), 80, 24);
    stage.keys("3 G");
    let screen = stage.screen();
    assert!(screen.contains("12505 }"), "{screen}");
    stage.keys("ctrl-u k k g");
    assert!(stage.screen().contains("200 OK"));
}

#[test]
fn wire_bytes_do_not_reach_the_terminal_raw() {
    let mut stage = Stage::new(Fake::new(vec![exchanges::chunked_put(1)]), 100, 30);
    stage.keys("2");
    let screen = stage.screen();
    assert!(
        !screen.contains('\x1b') && screen.contains("␛[31mred?"),
        "{screen}"
    );
}
