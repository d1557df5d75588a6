//! Reads sentences from standard input, a line each, and prints what each is
//! read as: `echo "a dog in the yard" | cargo run -p rules --example read`.

use std::io::BufRead;

fn bare(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, v)| !v.is_null() && **v != serde_json::json!([]))
            .map(|(k, v)| (k.clone(), bare(v)))
            .collect(),
        Value::Array(list) => list.iter().map(bare).collect(),
        other => other.clone(),
    }
}

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match rules::read(&line) {
            Ok(rule) => {
                let json = serde_json::to_value(&rule).map_err(std::io::Error::other)?;
                println!("{line}\n  {}\n  {}", bare(&json), rule.says());
            }
            Err(refusal) => println!("{line}\n  refused: {refusal} {:?}", refusal.spans),
        }
    }
    Ok(())
}
