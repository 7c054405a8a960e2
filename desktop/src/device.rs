//! A further computer of the same person, from the command line.
//!
//! `kiez device add` shows a text, waits for the new computer, asks the person for the code that is shown there, and waits until
//! everything is brought. Another process may have the profile open, and the network with it: so each step is a command of its
//! own, which is done here or handed over.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use kiez_core::host::keystore::{Home, KeystoreError, Passphrase};
use kiez_core::host::net::{Network, Newcomer, Offer, OfferFault, move_in};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::replica::own_device::DeviceText;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Cli, DeviceCommand};
use crate::execute::{self, Answer, Context};
use crate::failure::{Exit, Failure};
use crate::{exchange, handover, own};

/// How often it is asked how it stands.
const AGAIN: Duration = Duration::from_millis(300);

/// A step of `kiez device add`, in the process that has the network.
pub(crate) async fn step(context: &Context<'_>, command: &DeviceCommand) -> Result<Answer, Failure> {
    let Some(network) = context.network else {
        return Err(Failure::usage("This is a step of `kiez device add`: use that."));
    };
    let answer = match command {
        DeviceCommand::Offer => {
            let words = tokio::task::block_in_place(|| context.node.recovery_words(&context.passphrase))?;
            let text = network.offer_device(words).await;
            json!({"text": text.to_text(), "expires": text.expires})
        }
        DeviceCommand::Standing => standing(&network.offer().borrow()),
        DeviceCommand::Agree | DeviceCommand::Disagree => {
            let agrees = matches!(command, DeviceCommand::Agree);
            json!({"asked": network.decide_device(agrees)})
        }
        DeviceCommand::Withdraw => {
            network.withdraw_device();
            Value::Null
        }
        DeviceCommand::List
        | DeviceCommand::Retire { .. }
        | DeviceCommand::Add
        | DeviceCommand::Join { .. } => {
            return Err(Failure::new(
                Exit::Failed,
                "in-use",
                "Another Kiez has this profile open: close it first.",
            ));
        }
    };
    Ok(Answer::new(answer, ""))
}

/// How it stands, as the steps tell it.
#[derive(Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
enum Standing {
    None,
    Waiting,
    Asking { code: String },
    Bringing { done: usize, of: usize },
    Done { left_out: usize },
    Failed { code: String, message: String },
}

fn standing(offer: &Offer) -> Value {
    match offer {
        Offer::None => json!({"standing": "none"}),
        Offer::Waiting { .. } => json!({"standing": "waiting"}),
        Offer::Asking { code } => json!({"standing": "asking", "code": code}),
        Offer::Bringing { done, of } => json!({"standing": "bringing", "done": done, "of": of}),
        Offer::Done { left_out } => json!({"standing": "done", "left_out": left_out}),
        Offer::Failed(fault) => {
            let code = offer_fault(*fault);
            json!({"standing": "failed", "code": code, "message": fault.to_string()})
        }
    }
}

/// The code of such a failure.
pub(crate) const fn offer_fault(fault: OfferFault) -> &'static str {
    match fault {
        OfferFault::Disagreed => "codes-differ",
        OfferFault::Expired => "invitation-expired",
        OfferFault::Lost => "unfinished",
        OfferFault::Unable => "not-admitted",
    }
}

/// Where the steps are done.
enum Steps {
    Here {
        node: Node,
        network: Network,
        passphrase: Passphrase,
    },
    There {
        home: Home,
        passphrase: Passphrase,
    },
}

impl Steps {
    async fn begin(home: &Home) -> Result<Self, Failure> {
        if !home.holds_profile() {
            return Err(KeystoreError::NoProfile(home.directory().to_path_buf()).into());
        }
        let passphrase = crate::read_passphrase(false)?;
        match Node::open(home, &passphrase) {
            Ok(node) => Ok(Self::Here {
                network: Network::start(&node, Some(passphrase.clone())).await?,
                node,
                passphrase,
            }),
            Err(NodeError::Keystore(KeystoreError::InUse(_))) => Ok(Self::There {
                home: home.clone(),
                passphrase,
            }),
            Err(error) => Err(error.into()),
        }
    }

    async fn step(&self, step: &str) -> Result<Value, Failure> {
        let arguments = ["kiez", "device", step].map(str::to_owned).to_vec();
        let answer = match self {
            Self::Here {
                node,
                network,
                passphrase,
            } => {
                let context = Context {
                    node: node.clone(),
                    passphrase: passphrase.clone(),
                    here: PathBuf::new(),
                    network: Some(network),
                };
                let cli = Cli::try_parse_from(&arguments).map_err(Failure::usage)?;
                Box::pin(execute::execute(&context, cli)).await?
            }
            Self::There { home, passphrase } => {
                let asked = handover::ask(home, passphrase, PathBuf::new(), arguments).await;
                asked.unwrap_or_else(|| Err(KeystoreError::InUse(None).into()))?
            }
        };
        Ok(answer.json)
    }

    async fn standing(&self) -> Result<Standing, Failure> {
        let said = self.step("standing").await?;
        serde_json::from_value(said).map_err(|error| Failure::new(Exit::Failed, "handover", error))
    }

    async fn end(self) {
        match self {
            Self::Here { network, .. } => network.stop().await,
            Self::There { .. } => {}
        }
    }
}

/// `kiez device add`.
pub(crate) async fn add(home: &Home, as_json: bool) -> Result<Answer, Failure> {
    let steps = Steps::begin(home).await?;
    let stopped = exchange::stop_signal();
    let added = tokio::select! {
        added = add_by(&steps, as_json) => added,
        () = stopped => Err(Failure::new(Exit::Failed, "stopped", "It was stopped. Nothing was sent, unless codes had been agreed.")),
    };
    if added.is_err() {
        steps.step("withdraw").await.ok();
    }
    steps.end().await;
    added
}

async fn add_by(steps: &Steps, as_json: bool) -> Result<Answer, Failure> {
    let offer = steps.step("offer").await?;
    if as_json {
        crate::say(&format!("{offer}\n"));
    } else {
        let text = offer.get("text").and_then(Value::as_str).unwrap_or_default();
        crate::say(&format!("{text}\n"));
        crate::note(
            "On your new computer: kiez device join and this text, within 15 minutes. Show it to nobody else.\n",
        );
    }
    let mut asked = false;
    loop {
        match steps.standing().await? {
            Standing::Asking { code } if !asked => {
                asked = true;
                let agrees = ask_for_code(&code, as_json).await?;
                steps.step(if agrees { "agree" } else { "disagree" }).await?;
            }
            Standing::Done { left_out } => {
                let mut text = "Your new computer has your groups now.\n".to_owned();
                if left_out > 0 {
                    text.push_str(&format!(
                        "{left_out} groups are missing there: this computer may not write in them.\n"
                    ));
                }
                return Ok(Answer::new(json!({"added": true, "left_out": left_out}), text));
            }
            Standing::Failed { code, message } => return Err(Failure::new(Exit::Failed, &code, message)),
            // Another window made another text, or took this one back.
            Standing::None => {
                return Err(Failure::new(
                    Exit::Failed,
                    "stopped",
                    "It was stopped elsewhere. Nothing was sent.",
                ));
            }
            Standing::Bringing { done, of } => tracing::info!("{done} of {of} groups are there"),
            Standing::Waiting | Standing::Asking { .. } => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The person types the code that the other screen shows: so it is compared, and not only agreed to.
async fn ask_for_code(code: &str, as_json: bool) -> Result<bool, Failure> {
    if as_json {
        crate::say(&format!("{}\n", json!({"code": code})));
    } else {
        crate::note(&format!(
            "Your new computer is here. This one shows {code}.\nType the code that the new one shows (anything else: no): "
        ));
    }
    let typed = tokio::task::spawn_blocking(own::line)
        .await
        .map_err(|error| Failure::new(Exit::Failed, "prompt", error))??;
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    Ok(digits(&typed) == digits(code))
}

/// `kiez device join`.
pub(crate) async fn join(home: &Home, text: &str, seconds: u64, as_json: bool) -> Result<Answer, Failure> {
    let text = DeviceText::parse(text)?;
    let newcomer = if home.holds_profile() {
        Newcomer::Known(Node::open(home, &crate::read_passphrase(false)?)?)
    } else {
        Newcomer::Fresh(home.clone(), crate::read_passphrase(true)?)
    };
    let mut on_code = |code: &str| {
        if as_json {
            crate::say(&format!("{}\n", json!({"code": code})));
        } else {
            crate::note(&format!(
                "This computer shows {code}. Type it on your first one, if that shows the same.\n"
            ));
        }
    };
    let moved_in = move_in(newcomer, &text, Duration::from_secs(seconds), &mut on_code).await?;
    let node = &moved_in.node;
    // The others hear that this one writes, too; where not, the next sync does it.
    exchange::tell_of_journals(node, text.device, &moved_in.groups).await;
    let json = json!({
        "person": node.me().person, "device": node.me().device_id(), "name": node.profile_name()?,
        "groups": moved_in.groups, "left_out": moved_in.left_out,
    });
    let mut said = format!(
        "This computer is {}'s now, with {} groups.\n",
        node.profile_name()?,
        node.groups()?.len()
    );
    if moved_in.left_out > 0 {
        said.push_str("Some groups are missing: ask a member of them for an invitation.\n");
    }
    Ok(Answer::new(json, said))
}
