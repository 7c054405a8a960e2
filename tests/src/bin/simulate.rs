//! Runs the simulation from the command line: many seeds, or one with everything that happens in it.

#![allow(clippy::print_stdout, reason = "a program that talks to whoever runs it")]

use std::ops::Range;
use std::process::ExitCode;

use kiez_tests::simulation::{Options, run, run_seeds};

const USAGE: &str = "usage: simulate --seeds FROM..TO | --seed N, and [--forks] [--trace] [--failures]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = Options {
        trace: arguments.iter().any(|argument| argument == "--trace"),
        forks: arguments.iter().any(|argument| argument == "--forks"),
    };
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place.saturating_add(1))
    };
    let one = value("--seed").and_then(|text| text.parse().ok());
    let many = value("--seeds").and_then(|text| range(text));
    match (one, many) {
        (Some(seed), _) => one_seed(seed, options),
        (None, Some(seeds)) if arguments.iter().any(|argument| argument == "--failures") => {
            failures(seeds, options)
        }
        (None, Some(seeds)) => many_seeds(seeds, options),
        (None, None) => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

fn one_seed(seed: u64, options: Options) -> ExitCode {
    match run(seed, options) {
        Ok(report) => {
            println!("{report:#?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Each seed once, a line for each that fails.
fn failures(seeds: Range<u64>, options: Options) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let failed = seeds.filter(|seed| match run(*seed, options) {
        Ok(_) => false,
        Err(failure) => {
            println!("seed {seed}: {}", failure.what);
            true
        }
    });
    match failed.count() {
        0 => ExitCode::SUCCESS,
        count => {
            println!("{count} failed");
            ExitCode::FAILURE
        }
    }
}

fn many_seeds(seeds: Range<u64>, options: Options) -> ExitCode {
    const SAY_EVERY: u64 = 100;
    let totals = run_seeds(seeds, options, |totals| {
        if totals.seeds.is_multiple_of(SAY_EVERY) {
            println!("{totals}");
        }
    });
    match totals {
        Ok(totals) => {
            println!("done: {totals}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}
