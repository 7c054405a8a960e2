//! What the page in the window may call. Each command is named in `permissions/page.toml`; whatever else it calls, Tauri
//! refuses.

use std::sync::{Mutex, PoisonError};

use kiez_core::domain::id::GroupId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tauri::ipc::{Channel, CommandArg, CommandItem, InvokeBody, InvokeError, Request};
use tauri::{AppHandle, Runtime, State};
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;

use super::copies;
use super::leaving::Leaving;
use crate::api::Fault;
use crate::api::act::{self, Action};
use crate::api::ask::{self, Query};
use crate::api::house::{Event, House};
use crate::api::view::CopyRead;

/// A question or an action as the page must write it; all else is refused with a code, as the local web server does.
pub(super) struct Asked<T>(T);

impl<'de, T: DeserializeOwned, R: Runtime> CommandArg<'de, R> for Asked<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        T::deserialize(command)
            .map(Self)
            .map_err(|_| Fault::new("usage").into())
    }
}

#[tauri::command]
pub(super) async fn ask(query: Asked<Query>, house: State<'_, House>) -> Result<Value, Fault> {
    ask::answer(&house, query.0).await
}

#[tauri::command]
pub(super) async fn act(action: Asked<Action>, house: State<'_, House>) -> Result<Value, Fault> {
    act::act(&house, action.0).await
}

/// What tells the page of events. A page that is loaded anew takes the place of the one before.
#[derive(Debug, Default)]
pub(super) struct Listening(Mutex<Option<AbortHandle>>);

#[tauri::command]
pub(super) async fn events(
    channel: Channel<Event>,
    house: State<'_, House>,
    listening: State<'_, Listening>,
) -> Result<(), Fault> {
    let mut told = house.events();
    let telling = tokio::spawn(async move {
        while let Some(event) = told.next().await {
            if channel.send(event).is_err() {
                return;
            }
        }
    });
    let before = listening
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(telling.abort_handle());
    if let Some(before) = before {
        before.abort();
    }
    Ok(())
}

/// The page has said all that was typed: the window may go.
#[tauri::command]
pub(super) async fn leave(leaving: State<'_, Leaving>) -> Result<(), Fault> {
    leaving.left();
    Ok(())
}

/// Lays a copy of the group among the downloads, and says where.
#[tauri::command]
pub(super) async fn copy_out(
    group: Asked<GroupId>,
    house: State<'_, House>,
    app: AppHandle,
) -> Result<String, Fault> {
    copies::lay_out(&house, &app, group.0).await
}

/// Takes in a copy: its bytes are the whole call.
#[tauri::command]
pub(super) async fn copy_in(request: Request<'_>, house: State<'_, House>) -> Result<CopyRead, Fault> {
    match request.body() {
        InvokeBody::Raw(bytes) => crate::api::copies::take_in(&house, bytes).await,
        InvokeBody::Json(_) => Err(Fault::new("usage")),
    }
}

/// Lays a backup among the downloads, and says where.
#[tauri::command]
pub(super) async fn backup(
    passphrase: Asked<String>,
    house: State<'_, House>,
    app: AppHandle,
) -> Result<String, Fault> {
    copies::lay_backup(&house, &app, &passphrase.0).await
}

/// Makes a profile of a backup: passphrase and backup are the whole call.
#[tauri::command]
pub(super) async fn recover(request: Request<'_>, house: State<'_, House>) -> Result<(), Fault> {
    match request.body() {
        InvokeBody::Raw(bytes) => crate::api::own::recover(&house, bytes).await,
        InvokeBody::Json(_) => Err(Fault::new("usage")),
    }
}
