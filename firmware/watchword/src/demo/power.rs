//! `demo --power`: an operator turns the watts down and up again over MQTT, and
//! checks what the camera makes of it. Nothing here but the contract is known
//! of the camera.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use scene::{Id, OperatingPoint};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::link::topics::Topics;

/// How long the camera runs undisturbed, so that its average watts are known.
const CALM: Duration = Duration::from_secs(25);

/// How much of the watts that looks took they get at the low point.
const SHARE: f64 = 1.0 / 3.0;

/// How much longer than before intervals may be when all has come back: the
/// machine does other things too.
const BACK: f64 = 1.5;

/// Watts above what the board draws without looks that no look fits into.
const TOO_LITTLE: f64 = 0.3;

/// The operator, and what the camera has said last.
pub(super) struct Knob {
    client: AsyncClient,
    broker: EventLoop,
    topics: Topics,
    rules: Vec<(Id, String)>,
    began: Instant,
    power: Value,
    echoes: BTreeMap<Id, Value>,
    told: Vec<String>,
    missing: Vec<&'static str>,
}

impl Knob {
    pub(super) fn new(
        client: AsyncClient,
        broker: EventLoop,
        topics: Topics,
        rules: Vec<(Id, String)>,
    ) -> Self {
        Self {
            client,
            broker,
            topics,
            rules,
            began: Instant::now(),
            power: Value::Null,
            echoes: BTreeMap::new(),
            told: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The whole story: 0 if all of it was seen.
    pub(super) async fn turn(mut self) -> Result<ExitCode> {
        self.connect().await?;
        for (id, sentence) in self.rules.clone() {
            let topic = format!("{}/rules/{id}/set", self.topics.root());
            self.say(&format!("{id}: {sentence}"));
            self.publish(topic, sentence).await?;
        }
        let up = Duration::from_secs(20);
        self.see("rules are armed, with what they cost", up, |knob| {
            let costs = |echo: &Value| echo["cost"]["watts"].is_number();
            knob.every_rule(|echo| costs(echo) && echo["state"] == "armed")
                && knob.point().is_some()
        })
        .await?;
        self.pass(CALM).await?;
        let Some(before) = self.point() else {
            bail!("the camera tells no operating point")
        };
        let intervals = self.intervals();
        let took = self.power["inference"]["watts"].as_f64().unwrap_or(0.0);
        let baseline = self.power["baseline"]["value"].as_f64();
        let baseline = baseline.context("the camera tells no baseline")?;
        self.say(&format!(
            "looks took {took:.3} W on average; the board draws {baseline:.2} W without them"
        ));

        let saving = (took * SHARE).max(0.001);
        self.limit(&format!(r#"{{"inference_watts": {saving:.4}}}"#))
            .await?;
        let soon = Duration::from_secs(45);
        self.see("resolution falls", soon, |knob| {
            knob.point()
                .is_some_and(|p| p.resolution < before.resolution)
        })
        .await?;
        self.see("rules slow", Duration::from_secs(15), |knob| {
            let slower = |(id, was): (&Id, &f64)| {
                let echo = &knob.echoes[id];
                let now = echo["interval_seconds"].as_f64();
                echo["state"] == "slowed" && now.is_some_and(|now| now > was * 1.1)
            };
            intervals.iter().any(slower)
        })
        .await?;
        self.see("the reason appears", Duration::from_secs(5), |knob| {
            let reason = |form: &Value| form.as_str().is_some_and(|text| !text.is_empty());
            let told = knob.echoes.values().any(|echo| reason(&echo["throttle"]));
            told && reason(&knob.power["throttle"]["reason"])
        })
        .await?;

        let watts = baseline + TOO_LITTLE;
        self.limit(&format!(r#"{{"watts": {watts:.2}}}"#)).await?;
        self.see(
            "no look starts that would pass the allotment",
            soon,
            |knob| {
                let held = |echo: &Value| {
                    let throttle = echo["throttle"].as_str().unwrap_or_default();
                    throttle.contains("not looked at now")
                };
                knob.power["throttle"]["cause"] == "peak" && knob.echoes.values().any(held)
            },
        )
        .await?;

        self.limit("").await?;
        let back = Duration::from_secs(60);
        self.see("everything comes back", back, |knob| {
            let whole = knob
                .point()
                .is_some_and(|p| p.resolution >= before.resolution);
            // On a slow machine looks took all the time there is before too.
            let scarce = ["peak", "energy", "heat"];
            let cause = knob.power["throttle"]["cause"].as_str();
            let free = cause.is_none_or(|cause| !scarce.contains(&cause));
            let lifted =
                knob.power["limit"].is_null() && knob.power["inference"]["limit"].is_null();
            let as_often = |(id, was): (&Id, &f64)| {
                // What it wants depends on what it sees, too.
                let echo = &knob.echoes[id];
                let now = echo["interval_seconds"].as_f64();
                echo["state"] == "armed" || now.is_some_and(|now| now <= was * BACK + 0.2)
            };
            whole && free && lifted && intervals.iter().all(as_often)
        })
        .await?;
        if self.missing.is_empty() {
            self.say("all of it was seen");
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("demo: not seen: {}", self.missing.join("; "));
        Ok(ExitCode::FAILURE)
    }

    async fn connect(&mut self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let event = timeout_at(until, self.broker.poll()).await;
            match event.context("the broker does not answer")?? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let filter = format!("{}/#", self.topics.root());
                    let filter = Filter::new(filter, QoS::AtLeastOnce);
                    self.client.subscribe_many([filter]).await?;
                }
                Event::Incoming(Packet::SubAck(_)) => return Ok(()),
                _ => {}
            }
        }
    }

    async fn publish(&self, topic: String, payload: String) -> Result<()> {
        let done = self
            .client
            .publish(topic, QoS::AtLeastOnce, false, payload.into_bytes());
        Ok(done.await?)
    }

    async fn limit(&mut self, payload: &str) -> Result<()> {
        let topic = format!("{}/power/limit/set", self.topics.root());
        self.say(&format!("> {topic}  {payload}"));
        self.publish(topic, payload.into()).await
    }

    /// Waits until `seen`, and notes `what` as missing if it is not within
    /// that time.
    async fn see(
        &mut self,
        what: &'static str,
        within: Duration,
        seen: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        let until = Instant::now() + within;
        while !seen(self) {
            match timeout_at(until, self.broker.poll()).await {
                Ok(event) => {
                    self.take(event.context("the operator lost the broker")?)
                        .await?
                }
                Err(_) => {
                    self.say(&format!("NOT SEEN within {} s: {what}", within.as_secs()));
                    self.missing.push(what);
                    return Ok(());
                }
            }
        }
        self.say(&format!("seen: {what}"));
        Ok(())
    }

    /// Lets time pass.
    async fn pass(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while let Ok(event) = timeout_at(until, self.broker.poll()).await {
            self.take(event.context("the operator lost the broker")?)
                .await?;
        }
        Ok(())
    }

    async fn take(&mut self, event: Event) -> Result<()> {
        let Event::Incoming(Packet::Publish(message)) = event else {
            return Ok(());
        };
        self.client.ack(&message).await?;
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        let Ok(form) = serde_json::from_slice::<Value>(&message.payload) else {
            return Ok(());
        };
        if topic == self.topics.power() {
            self.power = form;
            self.tell_power();
        } else if let Some((id, _)) =
            (self.rules.iter()).find(|(id, _)| topic == self.topics.rule(id))
        {
            let id = id.clone();
            if form["state"] == "rejected" {
                let why = form["error"]["why"].as_str().unwrap_or("?");
                bail!("the camera refused the rule '{id}': {why}");
            }
            self.tell_rule(&id, &form);
            self.echoes.insert(id, form);
        }
        Ok(())
    }

    fn point(&self) -> Option<OperatingPoint> {
        self.power["point"].as_str()?.parse().ok()
    }

    fn every_rule(&self, holds: impl Fn(&Value) -> bool) -> bool {
        let echo = |(id, _): &(Id, String)| self.echoes.get(id).is_some_and(&holds);
        self.rules.iter().all(echo)
    }

    /// How often each rule is looked at.
    fn intervals(&self) -> BTreeMap<Id, f64> {
        let seconds =
            |(id, echo): (&Id, &Value)| Some((id.clone(), echo["interval_seconds"].as_f64()?));
        self.echoes.iter().filter_map(seconds).collect()
    }

    fn say(&self, line: &str) {
        println!("{:6.1} s  {line}", self.began.elapsed().as_secs_f64());
    }

    /// The same line once.
    fn say_new(&mut self, about: &str, line: String) {
        let line = format!("{about:<6} {line}");
        let known = |told: &String| told.starts_with(&format!("{about:<6} "));
        if self.told.contains(&line) {
            return;
        }
        self.told.retain(|told| !known(told));
        self.say(&line);
        self.told.push(line);
    }

    fn tell_power(&mut self) {
        let power = &self.power;
        let number = |form: &Value| form.as_f64().unwrap_or(f64::NAN);
        let line = format!(
            "{}: {:.2} W while it looks ({}), {:.3} J a look; {}",
            power["point"].as_str().unwrap_or("?"),
            number(&power["watts_per_inference"]["value"]),
            power["watts_per_inference"]["source"]
                .as_str()
                .unwrap_or("?"),
            number(&power["joules_per_inference"]["value"]),
            power["throttle"]["reason"]
                .as_str()
                .unwrap_or("nothing holds it back"),
        );
        self.say_new("camera", line);
    }

    fn tell_rule(&mut self, id: &Id, echo: &Value) {
        let line = format!(
            "{}, every {:.1} s, {:.4} W, blind for {:.0} s at most{}",
            echo["state"].as_str().unwrap_or("?"),
            echo["interval_seconds"].as_f64().unwrap_or(f64::NAN),
            echo["cost"]["watts"].as_f64().unwrap_or(f64::NAN),
            echo["blind_seconds"].as_f64().unwrap_or(f64::NAN),
            echo["throttle"]
                .as_str()
                .map(|why| format!(": {why}"))
                .unwrap_or_default(),
        );
        self.say_new(id.as_str(), line);
    }
}
