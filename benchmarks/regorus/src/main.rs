// Times one rule in-process with regorus: reads a case (JSON) from standard input, writes
// {"compile_ns", "samples_ns", "result", "peak_kb"} to standard output.  The argument chooses
// between regorus' interpreter and its virtual machine.

use std::error::Error;
use std::io::Read;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};
use serde_json::json;

type Failure = Box<dyn Error>;

struct Case {
    modules: Vec<(String, String)>,
    rule: String,
    data: Value,
    input: Value,
    rounds: u64,
    samples: u64,
}

fn read_case() -> Result<Case, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let document: serde_json::Value = serde_json::from_str(&text)?;
    let string = |key: &str| document[key].as_str().unwrap_or_default().to_string();
    Ok(Case {
        modules: document["modules"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_string()))
            .collect(),
        rule: format!("data.{}", string("rule")),
        data: Value::from_json_str(&document["data"].to_string())?,
        input: Value::from_json_str(&document["input"].to_string())?,
        rounds: document["rounds"].as_u64().unwrap_or(1),
        samples: document["samples"].as_u64().unwrap_or(5),
    })
}

/// Nanoseconds of the processor that this thread has had: what else the machine does is not
/// counted.
fn nanoseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Runs `once` as often as the case says; the nanoseconds of one run, by sample.
fn time(
    case: &Case,
    mut once: impl FnMut() -> Result<Value, Failure>,
) -> Result<(Vec<u64>, Value), Failure> {
    let mut samples = Vec::new();
    let mut result = once()?;
    for _ in 0..case.samples {
        let start = nanoseconds();
        for _ in 0..case.rounds {
            result = once()?;
        }
        samples.push((nanoseconds() - start) / case.rounds);
    }
    Ok((samples, result))
}

fn run(case: &Case, mode: &str) -> Result<(u64, Vec<u64>, Value), Failure> {
    let start = nanoseconds();
    let mut engine = Engine::new();
    for (name, text) in &case.modules {
        engine.add_policy(name.clone(), text.clone())?;
    }
    engine.add_data(case.data.clone())?;
    let rule: Arc<str> = case.rule.as_str().into();
    let policy = engine.compile_with_entrypoint(&rule)?;
    if mode == "vm" {
        let program = Compiler::compile_from_policy(&policy, &[case.rule.as_str()])?;
        let mut vm = RegoVM::new();
        vm.load_program(program);
        vm.set_data(case.data.clone())?;
        vm.set_max_instructions(usize::MAX);
        let spent = nanoseconds() - start;
        let (samples, result) = time(case, || {
            vm.set_input(case.input.clone());
            Ok(vm.execute()?)
        })?;
        return Ok((spent, samples, result));
    }
    let spent = nanoseconds() - start;
    let (samples, result) = time(case, || {
        engine.set_input(case.input.clone());
        Ok(engine.eval_rule(case.rule.clone())?)
    })?;
    Ok((spent, samples, result))
}

/// The most memory the process ever held, where the system tells.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn main() -> Result<(), Failure> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let case = read_case()?;
    let (compile_ns, samples_ns, result) = run(&case, &mode)?;
    let result: serde_json::Value = serde_json::from_str(&result.to_json_str()?)?;
    let found = json!({
        "compile_ns": compile_ns,
        "samples_ns": samples_ns,
        "result": result,
        "peak_kb": peak_kb(),
    });
    println!("{found}");
    Ok(())
}
