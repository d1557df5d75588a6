//! What a look costs: CPU time, and joules reckoned from it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use scene::{Joules, Quantity, Watts};

/// Reckons energy from CPU time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    watts_per_core: Watts,
    clock: ClockId,
}

impl Meter {
    /// `watts_per_core`: draw of one busy core over idle. With one inference
    /// thread all the work is done on the calling thread, whose own clock then
    /// leaves out what other threads of the process (video) do meanwhile.
    pub fn new(watts_per_core: Watts, threads: usize) -> Self {
        let clock = match threads {
            1 => ClockId::ThreadCPUTime,
            _ => ClockId::ProcessCPUTime,
        };
        Self {
            watts_per_core,
            clock,
        }
    }

    /// CPU time used so far.
    pub fn read(&self) -> Duration {
        let time = clock_gettime(self.clock);
        let secs = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(secs, u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    /// The energy of `cpu` time.
    pub fn joules(&self, cpu: Duration) -> Quantity<Joules> {
        Quantity::modelled(Joules::over(self.watts_per_core, cpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_and_waiting_does_not() {
        let meter = Meter::new(Watts(2.0), 1);
        let start = meter.read();
        std::thread::sleep(Duration::from_millis(30));
        let waited = meter.read() - start;
        assert!(waited < Duration::from_millis(20), "{waited:?}");
        let mut x = 1u64;
        let mut cpu = Duration::ZERO;
        for _ in 0..1_000_000 {
            for i in 0..1000 {
                x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(i));
            }
            cpu = meter.read() - start;
            if cpu > waited + Duration::from_millis(1) {
                break;
            }
        }
        let joules = meter.joules(cpu);
        assert_eq!(joules.source, scene::Source::Modelled);
        assert!(joules.value.0 >= 0.002, "{joules:?}");
    }
}
