//! The cap on the processor's frequency.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::Tree;
use platform::CpuCap;
use scene::ports::Throttle;

const DIR: &str = "sys/devices/system/cpu/cpufreq";

fn caps(tree: &Tree) -> Vec<u64> {
    [0, 4, 6]
        .map(|n| tree.get(&format!("{DIR}/policy{n}/scaling_max_freq")))
        .map(|text| text.parse().unwrap())
        .to_vec()
}

const FREE: [u64; 3] = [1_800_000, 2_256_000, 2_304_000];

#[test]
fn all_clusters_are_capped_and_freed() {
    let tree = Tree::recorded("rock-5b");
    let mut cap = CpuCap::open(tree.root());
    assert_eq!(caps(&tree), FREE);
    assert_eq!(cap.range_mhz(), Some((408, 2_304)));
    cap.cap(Some(1_200)).unwrap();
    assert_eq!(caps(&tree), [1_200_000; 3]);
    // One that is slower anyway keeps its own.
    cap.cap(Some(2_016)).unwrap();
    assert_eq!(caps(&tree), [1_800_000, 2_016_000, 2_016_000]);
    cap.cap(None).unwrap();
    assert_eq!(caps(&tree), FREE);
    cap.cap(None).unwrap();
    cap.cap(Some(600)).unwrap();
    drop(cap);
    assert_eq!(caps(&tree), FREE, "never left behind");
}

#[test]
fn what_the_kernel_left_for_the_heat_is_not_kept() {
    let tree = Tree::recorded("rock-5b");
    let mut cap = CpuCap::open(tree.root());
    // The file shows the lower of all limits, the thermal governor's too.
    tree.put(&format!("{DIR}/policy4/scaling_max_freq"), "1416000\n");
    cap.cap(None).unwrap();
    assert_eq!(caps(&tree)[1], 1_416_000, "nothing to lift");
    cap.cap(Some(1_200)).unwrap();
    cap.cap(Some(1_000)).unwrap();
    cap.cap(None).unwrap();
    assert_eq!(caps(&tree), FREE);
}

#[test]
fn what_a_crash_left_is_lifted() {
    let tree = Tree::recorded("rock-5b");
    let mut cap = CpuCap::open(tree.root());
    cap.cap(Some(600)).unwrap();
    std::mem::forget(cap);
    assert_eq!(caps(&tree), [600_000; 3]);
    let _cap = CpuCap::open(tree.root());
    assert_eq!(caps(&tree), FREE);
}

#[test]
fn what_the_hardware_can_not_is_refused() {
    let tree = Tree::recorded("rock-5b");
    let mut cap = CpuCap::open(tree.root());
    for mhz in [0, 407, 2_305, u32::MAX] {
        let why = cap.cap(Some(mhz)).unwrap_err();
        assert!(
            why.contains(&mhz.to_string()) && why.contains("408 to 2304 MHz"),
            "{why}"
        );
    }
    assert_eq!(caps(&tree), FREE);
    let none = Tree::empty();
    let mut cap = CpuCap::open(none.root());
    cap.cap(None).unwrap();
    let why = cap.cap(Some(1_000)).unwrap_err();
    assert!(why.contains("no cpufreq"), "{why}");
    assert_eq!(
        CpuCap::open(Tree::recorded("broken").root()).range_mhz(),
        None
    );
}

#[test]
fn if_one_cluster_refuses_none_is_capped() {
    let tree = Tree::recorded("rock-5b");
    let mut cap = CpuCap::open(tree.root());
    // A folder can't be written, by root either.
    let file = format!("{DIR}/policy6/scaling_max_freq");
    tree.remove(&file);
    fs::create_dir(tree.root().join(&file)).unwrap();
    let why = cap.cap(Some(1_200)).unwrap_err();
    assert!(
        why.contains("policy6") && why.contains("can't be written"),
        "{why}"
    );
    for (n, free) in [(0, FREE[0]), (4, FREE[1])] {
        let is = tree.get(&format!("{DIR}/policy{n}/scaling_max_freq"));
        assert_eq!(is, free.to_string());
    }
}

#[test]
fn without_access_it_says_so() {
    let tree = Tree::recorded("rock-5b");
    let file = tree.root().join(format!("{DIR}/policy0/scaling_max_freq"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&file).is_ok() {
        eprintln!("SKIPPED: root writes what is read-only");
        return;
    }
    let why = CpuCap::open(tree.root()).cap(Some(1_200)).unwrap_err();
    assert!(why.contains("needs access"), "{why}");
}
