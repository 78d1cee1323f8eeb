//! sigscope: a terminal inspector and debugger for AWS request authentication.
//!
//! Every exchange walks one corridor. Each stage consumes the type that the stage before it
//! made, and writes what it did on the record; screens, logs and exports only read that
//! record.
//!
//! ```text
//!                                   ┌── profile: its own STS, SSO and IMDS calls enter at
//!                                   │   forward, as exchanges of the door "internal"
//!                                   ▼
//! client ─► front ─► route ─► judge ─► gate ─► identify ─► sign ─► forward ─► AWS
//!             │        │        │       │         │         │         │
//!             ▼        ▼        ▼       ▼         ▼         ▼         ▼
//!           ┌─────────────────────────── draft ──────────────────────────┐
//!           └────────────────────────────┬───────────────────────────────┘
//!                                        ▼
//!           record ─► masked Exchange ─► Sink: store, session file, printer
//!              └────► Raw (memory only) ─► diagnose ─► findings, each masked
//!                                       └► replay ─► enters again at route
//! ```
//!
//! | stage | question it answers |
//! | --- | --- |
//! | front | what exactly did the client send, over which door? |
//! | route | which service, region and upstream, and how do we know? |
//! | judge | was the client's own signature right? |
//! | gate | may it pass? |
//! | identify | as whom? |
//! | sign | what exactly is signed, in which mode? |
//! | forward | what came back, and how long did each step take? |
//! | record | what may be kept? |
//! | diagnose | why did it fail, how sure are we, what now? |
//!
//! Rooms import lower floors, never higher ones:
//!
//! ```text
//! 7  cli
//! 6  tui
//! 5  replay
//! 4  proxy      explain
//! 3  diagnose   export
//! 2  capture    sandbox
//! 1  sigv4      profile
//! 0  aws        secret      config
//! ```
//!
//! # Where to add what
//!
//! | to add | go to |
//! | --- | --- |
//! | a command of the program | a file in [`cli`], an arm in its `Command` |
//! | an option of the proxy | `cli/options.rs`, [`proxy::Options`]; a key of the file: [`config::File`] |
//! | a limit that the operator may set | [`config::Limits`] |
//! | a key, or a command of the screen | [`tui::command::COMMANDS`] and its arm in `tui/update` |
//! | a pane or a region of the screen | a `PaneId` and its document in `tui/state`; drawing in `tui/view` |
//! | something that the screen asks of the rest | [`tui::Engine`], implemented in `cli/engine.rs` |
//! | a colour, a theme | a `Tone` in `tui/state`; a file in `themes/`, listed in `tui/theme.rs` |
//! | something that every exchange should know | [`capture::exchange`], written by the stage that knows it |
//! | a column of list, filter and session file | [`capture::Row`]; `capture/session` has the schema and its version |
//! | a filter term | `capture/filter/term.rs` |
//! | a form in which exchanges leave | a file in [`export`] |
//! | a finding | [`diagnose`]; what follows from the client's signature alone, in `proxy/judge.rs` |
//! | a mistake of signers | `sigv4/forensics/mistakes`, its words in `labels.tsv` |
//! | a failure that AWS words | `diagnose/data/failures.json`, its evidence in `diagnose/catalogue` |
//! | a form of request that can be pasted | a file in `explain/read` |
//! | a door | `proxy/front`, and a `Door` of the record |
//! | a rule about what may pass | `proxy/gate.rs`; about heads and hosts, `proxy/front` |
//! | a fault with its status and words | a `FaultKind` of the record; the answer in `proxy/reply.rs` |
//! | what a service does differently when signed | [`sigv4::Rules`] |
//! | a payload mode, a form of authentication | `sigv4/payload.rs`, `sigv4/client.rs` |
//! | a service, host, operation or region | nowhere by hand: `aws/generate.py` writes `aws/data` |
//! | a place that profiles come from | a file in `profile/source` |
//! | a way to first credentials | a hop in `profile/plan.rs` and a file in `profile/leaf` |
//! | something that must not be seen | a rule in [`secret::mask`]; members by name, `aws/generate_sensitive.py` |
//! | a service or a refusal of the sandbox | a file in [`sandbox`], an arm in its `dispatch` |
//! | a scene of the demo | `fixtures/demo/scenario.json`; who and what exists, `world.json` |
//!
//! What belongs to nobody's floor but all of them: time and randomness are passed in; only
//! `secret`, `sigv4`, `profile`, `diagnose`, `replay` and the stages sign and forward may look
//! at a [`secret::Secret`]; the only thing that keeps an unmasked request is [`secret::Raw`],
//! in memory.
#![forbid(unsafe_code)]

pub mod aws;
pub mod capture;
pub mod cli;
pub mod config;
pub mod diagnose;
pub mod explain;
pub mod export;
pub mod profile;
pub mod proxy;
pub mod replay;
pub mod sandbox;
pub mod secret;
pub mod sigv4;
pub mod tui;
