//! One-to-one assignment of tracks to detections.

/// How pairs are chosen among those that are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Best pair first, each once.
    Greedy,
    /// The set of pairs with the most merit in sum: Kuhn's Hungarian method
    /// (1955) as shortest augmenting paths (Jonker and Volgenant 1987), as
    /// SORT and ByteTrack use.
    Optimal,
}

/// Pairs (row, column) of a table of merits, `rows` by `columns`. `merit` gives
/// the worth of a pair, above 0, or refuses it. In order of rows; equal tables
/// give equal pairs.
pub(crate) fn assign(
    how: Assignment,
    rows: usize,
    columns: usize,
    merit: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for r in 0..rows {
        pairs.extend((0..columns).filter_map(|c| Some((merit(r, c)?, r, c))));
    }
    pairs.retain(|p| p.0 > 0.0);
    let mut out = match how {
        Assignment::Greedy => greedy(pairs),
        Assignment::Optimal => optimal(&pairs),
    };
    out.sort_unstable();
    out
}

fn greedy(mut pairs: Vec<(f32, usize, usize)>) -> Vec<(usize, usize)> {
    // Ties go to the first row and the first column.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (_, r, c) in pairs {
        if out.iter().all(|(or, oc)| *or != r && *oc != c) {
            out.push((r, c));
        }
    }
    out
}

/// O(n²·(n + m)) in the rows and columns that have a possible pair: under
/// 40 million steps for 256 x 256.
fn optimal(pairs: &[(f32, usize, usize)]) -> Vec<(usize, usize)> {
    let names = |pick: fn(&(f32, usize, usize)) -> usize| {
        let mut all: Vec<usize> = pairs.iter().map(pick).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (rows, columns) = (names(|p| p.1), names(|p| p.2));
    let (n, m) = (rows.len(), columns.len());
    // Each row has a column of its own that costs nothing: to stay alone. A
    // pair that is not possible costs more, so it is never chosen.
    let width = m + n;
    let mut cost = vec![1.0f64; n * width];
    for r in 0..n {
        cost[r * width + m..(r + 1) * width].fill(0.0);
    }
    for (merit, r, c) in pairs {
        let r = rows.binary_search(r).unwrap_or(0);
        let c = columns.binary_search(c).unwrap_or(0);
        cost[r * width + c] = -f64::from(*merit);
    }
    // Rows and columns count from 1 here; 0 is "none".
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; width + 1]);
    let mut row_of = vec![0usize; width + 1];
    let mut way = vec![0usize; width + 1];
    for r in 1..=n {
        row_of[0] = r;
        let mut at = 0;
        let mut least = vec![f64::INFINITY; width + 1];
        let mut used = vec![false; width + 1];
        while row_of[at] != 0 {
            used[at] = true;
            let row = row_of[at];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for c in 1..=width {
                if used[c] {
                    continue;
                }
                let reduced = cost[(row - 1) * width + c - 1] - u[row] - v[c];
                if reduced < least[c] {
                    least[c] = reduced;
                    way[c] = at;
                }
                if least[c] < delta {
                    delta = least[c];
                    next = c;
                }
            }
            for c in 0..=width {
                if used[c] {
                    u[row_of[c]] += delta;
                    v[c] -= delta;
                } else {
                    least[c] -= delta;
                }
            }
            at = next;
        }
        while at != 0 {
            let before = way[at];
            row_of[at] = row_of[before];
            at = before;
        }
    }
    (1..=m)
        .filter(|&c| row_of[c] != 0)
        .map(|c| (rows[row_of[c] - 1], columns[c - 1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, test_runner::RngSeed};

    type Table = Vec<Vec<Option<f32>>>;

    fn run(how: Assignment, table: &Table) -> Vec<(usize, usize)> {
        let columns = table.first().map_or(0, Vec::len);
        assign(how, table.len(), columns, |r, c| table[r][c])
    }

    fn sum(table: &Table, pairs: &[(usize, usize)]) -> f32 {
        pairs.iter().map(|&(r, c)| table[r][c].unwrap()).sum()
    }

    /// The best sum by trying everything.
    fn best(table: &Table, r: usize, taken: u32) -> f32 {
        if r == table.len() {
            return 0.0;
        }
        let mut most = best(table, r + 1, taken);
        for (c, merit) in table[r].iter().enumerate() {
            if let Some(m) = merit.filter(|m| *m > 0.0 && taken & (1 << c) == 0) {
                most = most.max(m + best(table, r + 1, taken | (1 << c)));
            }
        }
        most
    }

    #[test]
    fn the_best_pair_is_not_always_in_the_best_set() {
        let table = vec![vec![Some(0.9), Some(0.8)], vec![Some(0.8), None]];
        assert_eq!(run(Assignment::Greedy, &table), [(0, 0)]);
        assert_eq!(run(Assignment::Optimal, &table), [(0, 1), (1, 0)]);
    }

    #[test]
    fn nothing_is_paired_with_nothing() {
        for how in [Assignment::Greedy, Assignment::Optimal] {
            assert_eq!(run(how, &vec![]), []);
            assert_eq!(run(how, &vec![vec![]; 3]), []);
            assert_eq!(run(how, &vec![vec![None; 3]; 2]), []);
            assert_eq!(
                run(how, &vec![vec![Some(0.0), Some(-1.0), Some(f32::NAN)]]),
                []
            );
        }
    }

    proptest! {
        // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn optimal_is_the_best_of_all(table in (0usize..6, 1usize..6).prop_flat_map(|(n, m)|
            prop::collection::vec(prop::collection::vec(
                prop::option::weighted(0.7, 0.01f32..1.0), m), n)))
        {
            let pairs = run(Assignment::Optimal, &table);
            let mut columns: Vec<usize> = pairs.iter().map(|p| p.1).collect();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(columns.len(), pairs.len());
            prop_assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0));
            prop_assert!((sum(&table, &pairs) - best(&table, 0, 0)).abs() < 1e-4);
            prop_assert!(sum(&table, &pairs) >= sum(&table, &run(Assignment::Greedy, &table)) - 1e-4);
        }
    }
}
