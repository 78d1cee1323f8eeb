//! Scripted requests for the demo.
