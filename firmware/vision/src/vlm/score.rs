//! Answers as sets of token paths, and the probability of each.
//!
//! A spelling of an answer is a path of tokens. All spellings form a trie; the
//! probability of a path is the product of the conditional probabilities along
//! it, and one decoder step per inner node finds them all; nodes that hang on
//! the same one are read together. Where one answer is
//! the beginning of another ("1" of "12"), its probability is that of its path
//! *less* the paths that go on, so that "12" is never taken for a 1.

use std::collections::BTreeMap;

use super::{Cache, Engine};
use crate::brake::{Halt, Stop};
use crate::package::Problem;

/// A trie of answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    nodes: Vec<Node>,
    values: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    next: BTreeMap<u32, usize>,
    value: Option<usize>,
}

/// Branches with less than this share of all belief are not followed; their
/// own share is counted where they stand.
const NEGLIGIBLE: f64 = 1e-4;

impl Answers {
    /// A trie of `(path, value)`, values counted from 0 to below `values`. The
    /// first value of a path that is given twice stays. Empty paths are left out.
    pub fn new(paths: impl IntoIterator<Item = (Vec<u32>, usize)>, values: usize) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
            values,
        };
        for (path, value) in paths {
            if path.is_empty() || value >= values {
                continue;
            }
            let mut at = 0;
            for token in path {
                let fresh = trie.nodes.len();
                at = *trie.nodes[at].next.entry(token).or_insert(fresh);
                if at == fresh {
                    trie.nodes.push(Node::default());
                }
            }
            trie.nodes[at].value.get_or_insert(value);
        }
        trie
    }

    /// Which values have at least one path.
    pub fn reachable(&self) -> Vec<bool> {
        let mut reachable = vec![false; self.values];
        for value in self.nodes.iter().filter_map(|node| node.value) {
            reachable[value] = true;
        }
        reachable
    }
}

/// `exp(logits - max)` normalised, in f64: sums over a large vocabulary lose
/// digits in f32.
fn probabilities(logits: &[f32]) -> (f64, f64) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let sum: f64 = logits.iter().map(|&v| (v as f64 - max).exp()).sum();
    (max, sum)
}

struct Branch {
    node: usize,
    token: u32,
    probability: f64,
    cache: Cache,
}

impl Engine {
    /// The probability of each value of `answers` after what is in `cache`,
    /// whose last logits are `logits`. Not normalised: the sum is the
    /// probability that any of the answers is given.
    pub fn score(
        &mut self,
        cache: &Cache,
        logits: &[f32],
        answers: &Answers,
        stop: &Stop,
    ) -> Result<Vec<f64>, Halt> {
        let mut weights = vec![0.0; answers.values];
        // Open inner nodes, most probable last; at most one a node of the trie.
        let mut open: Vec<Branch> = Vec::new();
        self.spread(0, 1.0, cache, logits, answers, &mut weights, &mut open)?;
        loop {
            open.sort_by(|a, b| a.probability.total_cmp(&b.probability));
            let Some(branch) = open.pop() else {
                return Ok(weights);
            };
            let all: f64 =
                weights.iter().sum::<f64>() + open.iter().map(|b| b.probability).sum::<f64>();
            if branch.probability <= NEGLIGIBLE * all {
                // The rest is smaller still.
                for rest in open.into_iter().chain([branch]) {
                    if let Some(value) = answers.nodes[rest.node].value {
                        weights[value] += rest.probability;
                    }
                }
                return Ok(weights);
            }
            // What branches off at the same place is read in the same run. Only
            // branches of one question meet there, so that no answer depends on
            // which others are asked for.
            let mut group = vec![branch];
            while let Some(next) = open.pop_if(|next| {
                next.cache.is(&group[0].cache) && next.probability > NEGLIGIBLE * all
            }) {
                group.push(next);
            }
            let tokens: Vec<u32> = group.iter().map(|branch| branch.token).collect();
            let read = self.step_many(&group[0].cache, &tokens, stop)?;
            for (branch, (cache, logits)) in group.iter().zip(read) {
                self.spread(
                    branch.node,
                    branch.probability,
                    &cache,
                    &logits,
                    answers,
                    &mut weights,
                    &mut open,
                )?;
            }
        }
    }

    /// Shares out `probability` of `node` among itself and its children.
    #[allow(clippy::too_many_arguments)] // One inner step of `score`, which owns all of these.
    fn spread(
        &self,
        node: usize,
        probability: f64,
        cache: &Cache,
        logits: &[f32],
        answers: &Answers,
        weights: &mut [f64],
        open: &mut Vec<Branch>,
    ) -> Result<(), Problem> {
        let (max, sum) = probabilities(logits);
        let mut own = probability;
        for (&token, &child) in &answers.nodes[node].next {
            let Some(&logit) = logits.get(token as usize) else {
                return Err(self.decoder_problem(format!(
                    "gave {} logits; the tokenizer has token {token}",
                    logits.len()
                )));
            };
            let share = probability * (logit as f64 - max).exp() / sum;
            own -= share;
            let below = &answers.nodes[child];
            match below.value {
                Some(value) if below.next.is_empty() => weights[value] += share,
                _ => open.push(Branch {
                    node: child,
                    token,
                    probability: share,
                    cache: cache.clone(),
                }),
            }
        }
        if let Some(value) = answers.nodes[node].value {
            weights[value] += own.max(0.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_share_beginnings() {
        let trie = Answers::new(
            [
                (vec![1], 1),
                (vec![1, 2], 12),
                (vec![9, 1], 1),
                (vec![], 3),
                (vec![5], 99),
            ],
            20,
        );
        assert_eq!(trie.nodes.len(), 1 + 4);
        assert_eq!(trie.nodes[trie.nodes[0].next[&1]].value, Some(1));
        let reachable = trie.reachable();
        assert!(reachable[1] && reachable[12] && !reachable[3]);
    }

    #[test]
    fn probabilities_survive_large_logits() {
        let (max, sum) = probabilities(&[1000.0, 1000.0, -1000.0]);
        assert_eq!((max, sum), (1000.0, 2.0));
    }
}
