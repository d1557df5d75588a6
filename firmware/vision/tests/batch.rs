//! Several continuations of one prompt in one run, against the reference's
//! batch: what `models/export/make_batch.py` wrote down.

mod common;

use common::{picture, runtime, tiny_vlm};
use serde::Deserialize;
use vision::internals::{Cache, Probe};
use vision::package::Package;

#[derive(Deserialize)]
struct Golden {
    picture: String,
    question: String,
    tokens: Vec<u32>,
    logits_after_tokens: Vec<Vec<f32>>,
    suffixes: Vec<Vec<u32>>,
    logits_after_suffixes: Vec<Vec<f32>>,
}

/// Largest difference, relative to the largest reference value.
fn relative(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    assert!(got.iter().all(|v| v.is_finite()));
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let apart = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    apart.fold(0f32, f32::max) / scale
}

/// The model, and its cache of the prefix that all questions share.
fn prefilled(golden: &Golden) -> (Probe, Cache) {
    let mut probe = Probe::load(&runtime(), Package::read(&tiny_vlm(), None).unwrap()).unwrap();
    let frame = picture(&tiny_vlm().join(format!("golden/{}.png", golden.picture)));
    let seen = probe.see(&frame).unwrap();
    let prefix = probe.prefill(&seen).unwrap();
    (probe, prefix)
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(tiny_vlm().join("golden/batch.json")).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.tokens.len(), golden.logits_after_tokens.len());
    assert_eq!(golden.suffixes.len(), golden.logits_after_suffixes.len());
    golden
}

#[test]
fn tokens_in_one_run_have_the_logits_of_the_reference_s_batch() {
    let golden = golden();
    let (mut probe, prefix) = prefilled(&golden);
    let suffix = probe.suffix(&golden.question).unwrap();
    let (asked, _) = probe.step(&prefix, &suffix).unwrap();
    let together = probe.step_many(&asked, &golden.tokens).unwrap();
    assert_eq!(together.len(), golden.tokens.len());
    let rows = golden.tokens.iter().zip(&golden.logits_after_tokens);
    let mut worst = 0f32;
    for ((&token, want), (cache, logits)) in rows.zip(&together) {
        let apart = relative(logits, want);
        worst = worst.max(apart);
        assert!(apart <= 1e-3, "{token}: {apart}");
        let (alone, lonely) = probe.step(&asked, &[token]).unwrap();
        assert!(relative(logits, &lonely) <= 1e-5, "{token}");
        // What was read in a batch goes on like what was read alone, whether
        // it goes on alone or in a batch again.
        let (_, after) = probe.step(cache, &[9]).unwrap();
        let (_, wanted) = probe.step(&alone, &[9]).unwrap();
        assert!(relative(&after, &wanted) <= 1e-5, "{token}, then another");
        let again = probe.step_many(cache, &golden.tokens).unwrap();
        for (&next, (_, logits)) in golden.tokens.iter().zip(&again) {
            let (_, wanted) = probe.step(&alone, &[next]).unwrap();
            assert!(relative(logits, &wanted) <= 1e-5, "{token}, then {next}");
        }
    }
    eprintln!("worst relative error of logits in a batch: {worst:e}");
}

#[test]
fn more_tokens_than_fit_in_one_run_are_all_read() {
    let golden = golden();
    let (mut probe, prefix) = prefilled(&golden);
    let tokens: Vec<u32> = (3..22).collect();
    let many = probe.step_many(&prefix, &tokens).unwrap();
    assert_eq!(many.len(), tokens.len());
    for (&token, (_, logits)) in tokens.iter().zip(&many) {
        let (_, alone) = probe.step(&prefix, &[token]).unwrap();
        assert!(relative(logits, &alone) <= 1e-5, "{token}");
    }
    assert!(probe.step_many(&prefix, &[]).unwrap().is_empty());
}

#[test]
fn questions_one_by_one_have_the_logits_of_the_reference_s_batch() {
    let golden = golden();
    let (mut probe, prefix) = prefilled(&golden);
    for (suffix, want) in golden.suffixes.iter().zip(&golden.logits_after_suffixes) {
        let (_, logits) = probe.step(&prefix, suffix).unwrap();
        let apart = relative(&logits, want);
        assert!(apart <= 1e-3, "{suffix:?}: {apart}");
    }
}
