//! Gathering events.

use crate::{error::RunError, results::Times};
use dyno_core::{
    Artifact, Event, Execution, Machine, PROTOCOL, PerformanceDone, Plan, Tool, Warning,
};
use std::collections::BTreeMap;

/// One worker, as it introduced itself.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    /// Position of its machine among the run's machines.
    pub(super) machine: u32,
    pub(super) tool: Tool,
    pub(super) started_utc: String,
    /// What ran its part of the accuracy half.
    pub(super) execution: Option<Execution>,
    pub(super) wall_ns: u64,
    pub(super) times: Times,
}

/// Gathers the events of a run.
#[derive(Debug)]
pub struct Collector {
    pub(super) plan_sha256: String,
    pub(super) workers: BTreeMap<u32, Worker>,
    pub(super) machines: Vec<Machine>,
    pub(super) shards: BTreeMap<u32, Artifact>,
    /// Shards that another worker had measured already.
    pub(super) again: Vec<(u32, Artifact)>,
    pub(super) performance: Vec<PerformanceDone>,
    pub(super) warnings: Vec<Warning>,
    pub(super) partial: bool,
    pub(super) finished: bool,
}

impl Collector {
    /// For the events of a plan.
    ///
    /// # Errors
    /// When the plan has no canonical form.
    pub fn new(plan: &Plan) -> Result<Self, RunError> {
        Ok(Self {
            plan_sha256: plan.spec.sha256()?,
            workers: BTreeMap::new(),
            machines: Vec::new(),
            shards: BTreeMap::new(),
            again: Vec::new(),
            performance: Vec::new(),
            warnings: Vec::new(),
            partial: false,
            finished: false,
        })
    }

    /// Something is there that a record could hold.
    pub fn has_measured(&self) -> bool {
        !self.shards.is_empty() || !self.performance.is_empty()
    }

    /// Takes an event of the only worker.
    ///
    /// # Errors
    /// As [`Self::on_from`].
    pub fn on(&mut self, event: &Event) -> Result<(), RunError> {
        self.on_from(0, event)
    }

    /// Takes an event of worker `number`.
    ///
    /// # Errors
    /// [`RunError::Protocol`] when the worker speaks another protocol, runs another plan, or
    /// measures before it has said who it is.
    pub fn on_from(&mut self, number: u32, event: &Event) -> Result<(), RunError> {
        match event {
            Event::Started {
                protocol,
                plan_sha256,
                machine,
                tool,
                started_utc,
            } => {
                if *protocol != PROTOCOL {
                    return Err(RunError::Protocol(format!(
                        "worker {number} speaks version {protocol} of it, this dyno version {PROTOCOL}"
                    )));
                }
                if *plan_sha256 != self.plan_sha256 {
                    return Err(RunError::Protocol(format!(
                        "worker {number} runs the plan {plan_sha256}, not {}",
                        self.plan_sha256
                    )));
                }
                let worker = Worker {
                    machine: self.machine(machine),
                    tool: tool.clone(),
                    started_utc: started_utc.clone(),
                    execution: None,
                    wall_ns: 0,
                    times: Times::default(),
                };
                self.workers.insert(number, worker);
            }
            // Whoever watches a worker says this, and a worker that cannot read its plan.
            Event::Died { .. } | Event::Failed { .. } => self.partial = true,
            Event::Answered { .. } => {
                return Err(RunError::Protocol(format!(
                    "worker {number} answers a question that the run did not ask"
                )));
            }
            Event::Warned(warning) => self.warnings.push(warning.clone()),
            Event::Progress { .. } | Event::Working { .. } | Event::SampleFailed(_) => {}
            Event::Opened { execution } => {
                self.worker(number, "opened")?.execution = Some(execution.clone());
            }
            Event::ShardDone {
                number: shard,
                artifact,
            } => {
                self.worker(number, "shard_done")?;
                if self.shards.get(shard).is_some_and(|a| a != artifact) {
                    self.again.push((*shard, artifact.clone()));
                } else {
                    self.shards.insert(*shard, artifact.clone());
                }
            }
            Event::AccuracyDone {
                wall_ns,
                engine_ns,
                host_ns,
            } => {
                let worker = self.worker(number, "accuracy_done")?;
                worker.wall_ns = *wall_ns;
                worker.times = Times {
                    engine_ns: *engine_ns,
                    host_ns: *host_ns,
                };
            }
            Event::Performance(done) => {
                let machine = self.worker(number, "performance")?.machine;
                let mut done = done.clone();
                done.measurement.machines = vec![machine];
                self.performance.push(done);
            }
            Event::Finished { partial } => {
                self.worker(number, "finished")?;
                self.partial |= *partial;
                self.finished = true;
            }
        }
        Ok(())
    }

    fn worker(&mut self, number: u32, event: &str) -> Result<&mut Worker, RunError> {
        self.workers.get_mut(&number).ok_or_else(|| {
            RunError::Protocol(format!(
                "worker {number} said `{event}` before it said who it is"
            ))
        })
    }

    /// Position of a machine; equal machines are one.
    fn machine(&mut self, machine: &Machine) -> u32 {
        let known = self.machines.iter().position(|m| m == machine);
        let at = known.unwrap_or_else(|| {
            self.machines.push(machine.clone());
            self.machines.len() - 1
        });
        at as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector() -> Collector {
        Collector {
            plan_sha256: "p".into(),
            workers: BTreeMap::new(),
            machines: Vec::new(),
            shards: BTreeMap::new(),
            again: Vec::new(),
            performance: Vec::new(),
            warnings: Vec::new(),
            partial: false,
            finished: false,
        }
    }

    fn started(plan: &str, protocol: u32, host: &str) -> Event {
        Event::Started {
            protocol,
            plan_sha256: plan.into(),
            machine: Machine {
                host: host.into(),
                ..dyno_machine::describe(false)
            },
            tool: Tool {
                name: "dyno".into(),
                version: "0".into(),
                commit: "c".into(),
                features: Vec::new(),
            },
            started_utc: "2026-01-01T00:00:00Z".into(),
        }
    }

    fn shard(sha256: &str) -> Event {
        Event::ShardDone {
            number: 0,
            artifact: Artifact {
                role: "shard".into(),
                format: "json".into(),
                sha256: sha256.into(),
                bytes: 1,
                lists: None,
            },
        }
    }

    #[test]
    fn a_worker_says_who_it_is_before_anything_counts() {
        let mut collector = collector();
        let protocol = |result| matches!(result, Err(RunError::Protocol(_)));
        assert!(protocol(collector.on(&shard("0"))));
        assert!(protocol(collector.on(&started("p", PROTOCOL + 1, "a"))));
        assert!(protocol(collector.on(&started("q", PROTOCOL, "a"))));
        collector.on(&started("p", PROTOCOL, "a")).expect("ours");
        collector.on(&shard("0")).expect("known");
        assert!(protocol(collector.on_from(1, &shard("0"))));
        for (number, host) in [(1, "b"), (2, "a")] {
            let event = started("p", PROTOCOL, host);
            collector.on_from(number, &event).expect("ours");
        }
        let machines: Vec<u32> = collector.workers.values().map(|w| w.machine).collect();
        assert_eq!(machines, [0, 1, 0], "equal machines are one");
        collector.on_from(1, &shard("0")).expect("the same");
        assert!(collector.again.is_empty());
        collector.on_from(1, &shard("1")).expect("looked at later");
        assert_eq!(collector.again.len(), 1);
    }

    #[test]
    fn a_run_that_ended_without_its_last_word_can_become_a_record() {
        let mut collector = collector();
        assert!(!collector.has_measured());
        collector.on(&started("p", PROTOCOL, "a")).expect("ours");
        collector.on(&shard("0")).expect("known");
        let died = Event::Died {
            status: "was killed".into(),
            sample: None,
        };
        collector.on(&died).expect("known");
        assert!(collector.has_measured() && collector.partial && !collector.finished);
    }
}
