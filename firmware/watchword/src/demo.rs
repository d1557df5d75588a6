//! `demo`: the camera on a clip, with an operator beside it who knows nothing
//! but the MQTT contract: sets rules, shows the echo, and waits for alerts.

mod power;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use scene::{Alert, Id, Phase};
use serde_json::Value;
use tokio::sync::{oneshot, watch as flag};
use tokio::time::{Instant, timeout_at};

use crate::config::{Config, ModelConfig, MqttConfig, SourceConfig, VideoConfig};
use crate::daemon::{self, Running};
use crate::evidence::hex;
use crate::link::topics::Topics;
use crate::share::Share;

/// What the operator says unless told otherwise.
const RULES: [(&str, &str); 2] = [
    (
        "queue",
        "count the people in a queue by passport control and give an alert if longer than 3 for 10 seconds",
    ),
    ("bags", "identify stranded bags on the station platform"),
];

/// `watchword demo`
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The clip that stands for the camera, played in a loop.
    #[arg(long, value_name = "FILE")]
    clip: PathBuf,
    /// A rule in plain English instead of the two usual ones; may be given
    /// several times.
    #[arg(long = "rule", value_name = "SENTENCE")]
    rules: Vec<String>,
    /// Exit 0 after the first alert has arrived with its picture.
    #[arg(long)]
    once: bool,
    /// Lower the watts over MQTT and lift that again, and exit 0 if rules
    /// slowed, resolution fell, the reason appeared and all came back.
    #[arg(long, conflicts_with = "once")]
    power: bool,
    /// With --once: how long to wait for it.
    #[arg(long, default_value_t = 240, value_name = "SECONDS")]
    within: u64,
    /// A model package instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A detector package that is asked first.
    #[arg(long, value_name = "DIR")]
    detector: Option<PathBuf>,
    /// A broker of yours (MQTT 5) instead of one inside.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Where alert pictures are saved.
    #[arg(long, default_value = "out/demo", value_name = "DIR")]
    pictures: PathBuf,
}

/// Runs the command.
pub fn demo(args: DemoArgs) -> Result<ExitCode> {
    if !args.clip.is_file() {
        bail!("--clip {}: there is no such file", args.clip.display());
    }
    std::fs::create_dir_all(&args.pictures)
        .with_context(|| format!("can't make the folder {}", args.pictures.display()))?;
    let share = Share::find()?;
    let data = tempfile_dir()?;
    let config = config(&args, &data);
    config.check(&share)?;
    let runtime = daemon::runtime()?;
    let done = runtime.block_on(async {
        let (tell_stop, stop) = flag::channel(false);
        let (tell_started, started) = oneshot::channel();
        let camera = config.camera.clone();
        let mut daemon = tokio::spawn(daemon::run_and_tell(config, share, stop, move |running| {
            let _ = tell_started.send(running.clone());
        }));
        let operator = async {
            let running = started.await.context("the camera did not start")?;
            let operator = Operator::new(args, Topics::new(&camera), running).await?;
            match operator.args.power {
                true => operator.turn_the_knob().await,
                false => operator.work().await,
            }
        };
        let interrupted = tokio::signal::ctrl_c();
        let done = tokio::select! {
            done = operator => match done {
                // The camera's own error says more than the operator's.
                Err(_) if daemon.is_finished() => match (&mut daemon).await? {
                    Err(error) => return Err(error),
                    Ok(()) => bail!("the camera stopped by itself"),
                },
                done => done,
            },
            _ = interrupted => Ok(ExitCode::SUCCESS),
        };
        let _ = tell_stop.send(true);
        if !daemon.is_finished() {
            daemon.await??;
        }
        done
    });
    runtime.shutdown_background();
    let _ = std::fs::remove_dir_all(&data);
    done
}

fn tempfile_dir() -> Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("watchword-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir)
        .with_context(|| format!("can't make the folder {}", dir.display()))?;
    Ok(dir)
}

fn config(args: &DemoArgs, data: &Path) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Config {
        camera: Id::new("demo").expect("a valid id"),
        data_dir: data.into(),
        source: SourceConfig::File {
            path: args.clip.clone(),
        },
        video: VideoConfig {
            rtsp: Some(any),
            ..VideoConfig::default()
        },
        model: ModelConfig {
            package: args.model.clone(),
            detector: args.detector.clone(),
            ..ModelConfig::default()
        },
        mqtt: MqttConfig {
            url: args.broker.clone(),
            inside_v4: any,
            inside_v5: any,
            ..MqttConfig::default()
        },
        ..Config::default()
    }
}

/// Somebody with an MQTT client.
struct Operator {
    args: DemoArgs,
    topics: Topics,
    client: AsyncClient,
    broker: rumqttc::v5::EventLoop,
    rules: Vec<(Id, String)>,
    /// The last picture of each rule, which comes before its alert.
    pictures: Vec<(String, Vec<u8>)>,
}

impl Operator {
    async fn new(args: DemoArgs, topics: Topics, running: Running) -> Result<Self> {
        let url = &running.broker_url;
        let id = format!("watchword-demo-operator-{}", std::process::id());
        let separator = if url.contains('?') { '&' } else { '?' };
        let mut options = MqttOptions::parse_url(format!("{url}{separator}client_id={id}"))
            .with_context(|| {
                format!(
                    "can't use the broker {}",
                    crate::config::without_credentials(url)
                )
            })?;
        options.set_max_packet_size(Some(16 * 1024 * 1024));
        options.set_manual_acks(true);
        let (client, broker) = AsyncClient::new(options, 64);
        let rules = if args.rules.is_empty() {
            (RULES
                .iter()
                .map(|(id, text)| (Id::new(*id).expect("a valid id"), text.to_string())))
            .collect()
        } else {
            crate::replay::numbered(&args.rules)
        };
        println!("The camera is up.");
        println!("  broker   {}", crate::config::without_credentials(url));
        if let Some(v4) = running.inside_v4 {
            println!(
                "           mosquitto_sub -h 127.0.0.1 -p {} -v -t 'watchword/#'",
                v4.port()
            );
        }
        if let Some(rtsp) = &running.rtsp {
            println!("  video    {rtsp}");
        }
        Ok(Self {
            args,
            topics,
            client,
            broker,
            rules,
            pictures: Vec::new(),
        })
    }

    async fn turn_the_knob(self) -> Result<ExitCode> {
        power::Knob::new(self.client, self.broker, self.topics, self.rules)
            .turn()
            .await
    }

    async fn work(mut self) -> Result<ExitCode> {
        let until = Instant::now() + Duration::from_secs(self.args.within);
        let root = self.topics.root().to_string();
        loop {
            let event = if self.args.once {
                match timeout_at(until, self.broker.poll()).await {
                    Ok(event) => event,
                    Err(_) => {
                        eprintln!("demo: no alert within {} s", self.args.within);
                        return Ok(ExitCode::FAILURE);
                    }
                }
            } else {
                self.broker.poll().await
            };
            match event.context("the operator lost the broker")? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let filter = Filter::new(format!("{root}/#"), QoS::AtLeastOnce);
                    self.client.subscribe_many([filter]).await?;
                }
                Event::Incoming(Packet::SubAck(_)) => {
                    for (id, sentence) in &self.rules {
                        println!("\n> {root}/rules/{id}/set\n  {sentence}");
                        let topic = format!("{root}/rules/{id}/set");
                        let payload = sentence.clone().into_bytes();
                        self.client
                            .publish(topic, QoS::AtLeastOnce, false, payload)
                            .await?;
                    }
                }
                Event::Incoming(Packet::Publish(message)) => {
                    let alert = self.message(&message)?;
                    self.client.ack(&message).await?;
                    if let Some(code) = self.enough(alert).await? {
                        return Ok(code);
                    }
                }
                _ => {}
            }
        }
    }

    /// With `--once`: whether `alert` ends the demo, after its
    /// acknowledgement went out.
    async fn enough(&mut self, alert: Option<bool>) -> Result<Option<ExitCode>> {
        if !self.args.once {
            return Ok(None);
        }
        match alert {
            Some(true) => {
                // The acknowledgement leaves when the event loop turns.
                let soon = Instant::now() + Duration::from_millis(500);
                while let Ok(event) = timeout_at(soon, self.broker.poll()).await {
                    if matches!(event?, Event::Outgoing(rumqttc::Outgoing::PubAck(_))) {
                        break;
                    }
                }
                println!("\nThe first alert has arrived and was acknowledged.");
                Ok(Some(ExitCode::SUCCESS))
            }
            Some(false) => {
                eprintln!("demo: an alert arrived without the picture it speaks of");
                Ok(Some(ExitCode::FAILURE))
            }
            None => Ok(None),
        }
    }

    /// Shows one message. For a new alert, whether its picture is right.
    fn message(&mut self, message: &Publish) -> Result<Option<bool>> {
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        let payload = &message.payload;
        if let Some(rule) = (topic.strip_prefix(&self.topics.alerts()))
            .and_then(|rest| rest.strip_prefix('/')?.strip_suffix("/image"))
        {
            self.pictures.retain(|(of, _)| of != rule);
            if !payload.is_empty() {
                self.pictures.push((rule.to_string(), payload.to_vec()));
            }
            return Ok(None);
        }
        if topic == self.topics.alerts() {
            return self.alert(payload);
        }
        let echo_of = |(id, _): &&(Id, String)| topic == self.topics.rule(id);
        if let Some((id, _)) = self.rules.iter().find(echo_of)
            && let Ok(echo) = serde_json::from_slice::<Value>(payload)
        {
            println!("\n< {topic}  ({})", echo["state"].as_str().unwrap_or("?"));
            for key in ["says", "why"] {
                if let Some(text) = echo[key].as_str() {
                    println!("  {text}");
                }
            }
            for question in echo["questions"].as_array().into_iter().flatten() {
                println!("  asks: {}", question["ask"].as_str().unwrap_or("?"));
            }
            for note in echo["notes"].as_array().into_iter().flatten() {
                println!("  note: {}", note.as_str().unwrap_or("?"));
            }
            if let Some(cost) = echo["cost"].as_object() {
                println!(
                    "  costs: {} J every {} s: {} W ({})",
                    number(&cost["joules_per_check"]),
                    number(&cost["check_every_seconds"]),
                    number(&cost["watts"]),
                    cost["source"].as_str().unwrap_or("?")
                );
            }
            if echo["state"] == "rejected" {
                let why = &echo["error"]["why"];
                bail!(
                    "the camera refused the rule '{id}': {}",
                    why.as_str().unwrap_or("?")
                );
            }
        }
        Ok(None)
    }

    /// Shows an alert and saves its picture.
    fn alert(&mut self, payload: &[u8]) -> Result<Option<bool>> {
        let alert: Alert =
            serde_json::from_slice(payload).context("an alert that does not keep the contract")?;
        let phase = serde_json::to_value(alert.phase)?;
        let phase = phase.as_str().unwrap_or("?");
        println!(
            "\n! {} {} {phase}: {}",
            alert.severity, alert.rule, alert.says
        );
        println!(
            "  saw \"{}\" ({:.0} %), {} ms after the frame, by {}",
            alert.evidence.answer,
            alert.evidence.confidence * 100.0,
            alert.latency_ms,
            alert.evidence.model
        );
        if alert.phase != Phase::New {
            return Ok(None);
        }
        let picture = (self.pictures.iter()).find(|(rule, _)| rule == alert.rule.as_str());
        let right = picture.is_some_and(|(_, jpeg)| {
            use sha2::{Digest, Sha256};
            Some(hex(&Sha256::digest(jpeg))) == alert.evidence.image_sha256
        });
        if let Some((_, jpeg)) = picture.filter(|_| right) {
            let path = self
                .args
                .pictures
                .join(format!("{}-{}.jpg", alert.rule, alert.id));
            std::fs::write(&path, jpeg)
                .with_context(|| format!("can't save the picture {}", path.display()))?;
            println!("  picture: {}", path.display());
        }
        Ok(Some(right))
    }
}

/// A number with as many digits as a person wants.
fn number(value: &Value) -> String {
    format!("{:.3}", value.as_f64().unwrap_or(f64::NAN))
}
