//! What drives the network from the command line: listen, sync until idle, join.

use std::collections::BTreeMap;
use std::time::Duration;

use kiez_core::domain::id::{DeviceId, GroupId};
use kiez_core::host::net::{self, Contact, Contacts, Network};
use kiez_core::host::node::Node;
use kiez_core::replica::join::Invitation;
use serde_json::json;

use crate::execute::{Answer, Context};
use crate::failure::{Exit, Failure};
use crate::find;
use crate::handover::{self, Behind, Known};

/// How long to look for devices before those that were not found count as out of reach. Nearby ones are found in one to
/// two seconds.
const LOOK: Duration = Duration::from_secs(5);

/// How long to wait for somebody who was found but is not even yet. Large transfers take their time; they end by
/// themselves.
const EVEN: Duration = Duration::from_secs(120);

/// How long after joining to tell the inviting device that the journal has begun.
const FIRST_SYNC: Duration = Duration::from_secs(10);

/// Stays, answers and exchanges until stopped.
pub(crate) async fn listen(context: Context<'_>) -> Result<Answer, Failure> {
    let mut door = handover::open(context.node.home(), Behind::Listener)?;
    let mut stopped = std::pin::pin!(stop_signal());
    let network = Network::start(&context.node, Some(context.passphrase.clone())).await?;
    // Beside the answer, which may be read by a program. From here on commands are taken, and it ends in order.
    crate::note(if network.is_discovering() {
        "Listening. Others can join and sync now. Stop with Ctrl-C.\n"
    } else {
        "Listening, but devices nearby cannot be found here: only known addresses work. Stop with Ctrl-C.\n"
    });
    let known = Known {
        node: &context.node,
        passphrase: &context.passphrase,
        network: &network,
    };
    let mut joined = network.joined();
    loop {
        tokio::select! {
            () = &mut stopped => break,
            Ok(()) = joined.changed() => {
                if let Some(joined) = &*joined.borrow_and_update() {
                    crate::note(&format!("Somebody joined. Both screens show {}.\n", joined.code));
                }
            }
            // One after the other: the node does one thing at a time anyway.
            asked = door.next() => tokio::select! {
                () = &mut stopped => break,
                () = asked.obey(known) => {}
            },
        }
    }
    drop(door);
    network.stop().await;
    Ok(Answer::new(json!({"stopped": true}), ""))
}

/// Catches, from now on, what asks this process to end.
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        let caught = async |signal: Option<Signal>| match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        };
        let terminate = signal(SignalKind::terminate()).ok();
        let interrupt = signal(SignalKind::interrupt()).ok();
        async move {
            tokio::select! {
                () = caught(terminate) => {}
                () = caught(interrupt) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        tokio::signal::ctrl_c().await.ok();
    }
}

/// Syncs until everybody who can be reached has the same.
pub(crate) async fn until_idle(context: &Context<'_>, wanted: Option<&str>) -> Result<Answer, Failure> {
    let groups = match wanted {
        Some(wanted) => vec![find::group(&context.node, Some(wanted))?],
        None => context.node.groups()?,
    };
    match context.network {
        Some(network) => wait_until_idle(&context.node, network, &groups).await,
        None => {
            let network = Network::start(&context.node, Some(context.passphrase.clone())).await?;
            let outcome = wait_until_idle(&context.node, &network, &groups).await;
            network.stop().await;
            outcome
        }
    }
}

async fn wait_until_idle(node: &Node, network: &Network, groups: &[GroupId]) -> Result<Answer, Failure> {
    let mut contacts = network.contacts();
    let expected = others(node, groups)?;
    let all_even = |contacts: &Contacts| expected.iter().all(|place| is_even(contacts.get(place)));
    if !expected.is_empty() {
        // Everybody, or everybody who turns up in time.
        tokio::time::timeout(LOOK, contacts.wait_for(all_even)).await.ok();
        let busy = |contacts: &Contacts| {
            !contacts
                .iter()
                .any(|((group, _), contact)| groups.contains(group) && *contact == Contact::Busy)
        };
        tokio::time::timeout(EVEN, contacts.wait_for(busy)).await.ok();
    }
    let reached: BTreeMap<(GroupId, DeviceId), Contact> = contacts
        .borrow()
        .iter()
        .filter(|((group, _), _)| groups.contains(group))
        .map(|(k, v)| (*k, *v))
        .collect();
    let even = reached.values().filter(|contact| is_even(Some(contact))).count();
    let half = reached
        .values()
        .filter(|contact| **contact == Contact::Busy)
        .count();
    let json = json!({
        "even": even,
        "out_of_reach": expected.len().saturating_sub(even).saturating_sub(half),
        "unfinished": half,
    });
    if half > 0 {
        return Err(Failure::new(
            Exit::Failed,
            "unfinished",
            "Not everything was exchanged in time. Run sync again: it goes on where it was.",
        ));
    }
    if even == 0 {
        let why = if expected.is_empty() {
            "Nobody else is in the group yet: invite somebody with `kiez invite`."
        } else {
            "Nobody could be reached. Are the others running Kiez, on the same network or cable?"
        };
        return Err(Failure::new(Exit::Unreachable, "unreachable", why));
    }
    let text = match expected.len().saturating_sub(even) {
        0 => format!("Everybody's devices ({even}) have the same as this one.\n"),
        missing => format!("{even} devices have the same as this one; {missing} could not be reached.\n"),
    };
    Ok(Answer::new(json, text))
}

fn is_even(contact: Option<&Contact>) -> bool {
    matches!(contact, Some(Contact::Even | Contact::EndedEven))
}

/// The other devices in these groups.
fn others(node: &Node, groups: &[GroupId]) -> Result<Vec<(GroupId, DeviceId)>, Failure> {
    let mut all = Vec::new();
    for group in groups {
        let status = node.status(*group)?;
        all.extend(status.peers.into_iter().map(|peer| (*group, peer.device)));
    }
    Ok(all)
}

/// Joins, and tells the inviting device that this one has begun to write.
pub(crate) async fn join(
    context: &Context<'_>,
    invitation: &Invitation,
    seconds: u64,
) -> Result<Answer, Failure> {
    let node = &context.node;
    let joined = net::join(
        node,
        invitation,
        &context.passphrase,
        Duration::from_secs(seconds),
    )
    .await?;
    // Where a network runs, it does it.
    if context.network.is_none() {
        tell_of_journals(node, invitation.inviter, &[joined.group]).await;
    }
    let name = node.group_card(joined.group)?.name;
    Ok(Answer::new(
        json!({"id": joined.group, "name": name, "code": joined.code}),
        format!("You are in {name}. Both screens show {}.\n", joined.code),
    ))
}

/// Tells a device that this one has begun to write in these groups. Where it does not come to that, the next sync does it.
pub(crate) async fn tell_of_journals(node: &Node, device: DeviceId, groups: &[GroupId]) {
    let Ok(network) = Network::start(node, None).await else {
        return;
    };
    let mut contacts = network.contacts();
    let all_even = |contacts: &Contacts| {
        groups
            .iter()
            .all(|group| is_even(contacts.get(&(*group, device))))
    };
    tokio::time::timeout(FIRST_SYNC, contacts.wait_for(all_even))
        .await
        .ok();
    network.stop().await;
}
