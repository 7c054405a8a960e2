//! The local web server: the same page as the window, for a browser on this computer. `guard` decides who is answered.

mod guard;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SentEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kiez_core::domain::id::GroupId;
use kiez_core::replica::limits::BUNDLE_BYTES_MAX;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_stream::{Stream, StreamExt};

use crate::api::Fault;
use crate::api::act::{self, Action};
use crate::api::ask::{self, Query};
use crate::api::copies;
use crate::api::house::House;
use crate::api::own;
use crate::failure::{Exit, Failure};
use crate::pages;

use guard::{Asking, Guard, Refused};

/// A question or an action is at most so long; ideas' texts are the longest.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The header with the page's pass.
const PASS: HeaderName = HeaderName::from_static("kiez-pass");

/// How long the last answers may take when the server is stopped.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// What every answer says of itself: no other page may frame it, nothing but its own files and this server is loaded.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, pages::POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

#[derive(Debug, Clone)]
struct Server {
    house: House,
    guard: Arc<Guard>,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: tokio::net::TcpListener,
    server: Server,
}

impl Listening {
    /// Listens there. Anything but this computer itself has to be wanted.
    pub(crate) async fn at(house: House, address: SocketAddr, beyond: bool) -> Result<Self, Failure> {
        if address.ip().is_unspecified() {
            return Err(Failure::usage(
                "Name the one address of this computer at which the page is to be found, as others would type it.",
            ));
        }
        if !address.ip().is_loopback() && !beyond {
            return Err(Failure::usage(
                "This address can be reached by other computers, and what they send is not sealed: whoever is on the same \
                 network can read along. Where you want that, say --beyond-this-computer.",
            ));
        }
        let failed = |error: std::io::Error| Failure::new(Exit::Failed, "network", error);
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let guard = Arc::new(Guard::new(listener.local_addr().map_err(failed)?));
        Ok(Self {
            listener,
            server: Server { house, guard },
        })
    }

    /// What to open in a browser. It works once.
    pub(crate) fn address(&self) -> Option<String> {
        let at = self.listener.local_addr().ok()?;
        Some(format!("http://{at}/enter?key={}", self.server.guard.key()?))
    }

    /// Answers until stopped.
    pub(crate) async fn serve(
        self,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let house = self.server.house.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        let graceful = async { told.await.unwrap_or_default() };
        let served = axum::serve(self.listener, router(self.server)).with_graceful_shutdown(graceful);
        // A page that listens for events never hangs up by itself: what it asked is answered, then it is left.
        let mut served = pin!(served.into_future());
        let failed = |error: std::io::Error| Failure::new(Exit::Failed, "network", error);
        let ended = tokio::select! {
            ended = &mut served => ended.map_err(failed),
            () = stopped => {
                tell.send(()).ok();
                let answered = async { tokio::time::timeout(LAST_ANSWERS, served).await };
                // Nothing stops the closing halfway.
                let (answered, ()) = tokio::join!(answered, house.lock());
                answered.unwrap_or(Ok(())).map_err(failed)
            }
        };
        house.lock().await;
        ended
    }
}

fn router(server: Server) -> Router {
    Router::new()
        .route("/api/ask", post(questions))
        .route("/api/act", post(actions))
        .route("/api/events", get(events))
        .route(
            "/api/copy",
            get(copy_out)
                .post(copy_in)
                .layer(DefaultBodyLimit::max(BUNDLE_BYTES_MAX)),
        )
        .route("/api/backup", post(backup))
        .route(
            "/api/recover",
            post(recover).layer(DefaultBodyLimit::max(BUNDLE_BYTES_MAX)),
        )
        .fallback(get(page))
        .layer(middleware::from_fn_with_state(server.clone(), guarded))
        // Not behind the guard: here the cookie is handed out.
        .route("/enter", get(enter))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::map_response(with_headers))
        .with_state(server)
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn asking<'a>(headers: &'a HeaderMap, method: &Method) -> Asking<'a> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    Asking {
        host: text(header::HOST),
        origin: text(header::ORIGIN),
        site: text(HeaderName::from_static("sec-fetch-site")),
        cookies: text(header::COOKIE),
        pass: text(PASS),
        changes: *method != Method::GET && *method != Method::HEAD,
    }
}

async fn guarded(State(server): State<Server>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let mut asking = asking(request.headers(), request.method());
    let checked = if uri.path().starts_with("/api/") {
        // An event source cannot send a header.
        asking.pass = asking.pass.or_else(|| uri.query()?.strip_prefix("pass="));
        server.guard.check_page(&asking)
    } else {
        server.guard.check(&asking)
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::FORBIDDEN, self.to_string()).into_response()
    }
}

#[derive(Deserialize)]
struct Entering {
    #[serde(default)]
    key: String,
}

async fn enter(
    State(server): State<Server>,
    headers: HeaderMap,
    extract::Query(entering): extract::Query<Entering>,
) -> Result<Response, Refused> {
    let entered = server
        .guard
        .enter(&asking(&headers, &Method::GET), &entering.key)?;
    // What follows the # is sent to nobody: the page takes it from there.
    let page = format!("/#pass={}", entered.pass);
    Ok(([(header::SET_COOKIE, entered.cookie)], Redirect::to(&page)).into_response())
}

/// A JSON body, or the code of what is wrong with it.
struct Asked<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(asked)) => Ok(Self(asked)),
            Err(wrong) => Err(unreadable(wrong.status())),
        }
    }
}

/// What was sent cannot be read; the page is told so in its own words.
fn unreadable(status: StatusCode) -> Response {
    let code = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        _ => "usage",
    };
    (status, Json(Fault::new(code))).into_response()
}

fn answered(outcome: Result<serde_json::Value, Fault>) -> Response {
    match outcome {
        Ok(answer) => Json(answer).into_response(),
        Err(fault) => refused(fault),
    }
}

fn refused(fault: Fault) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(fault)).into_response()
}

async fn questions(State(server): State<Server>, Asked(query): Asked<Query>) -> Response {
    answered(ask::answer(&server.house, query).await)
}

async fn actions(State(server): State<Server>, Asked(action): Asked<Action>) -> Response {
    answered(act::act(&server.house, action).await)
}

#[derive(Deserialize)]
struct Copied {
    group: GroupId,
}

async fn copy_out(
    State(server): State<Server>,
    extract::Query(Copied { group }): extract::Query<Copied>,
) -> Response {
    match copies::gather(&server.house, group).await {
        Ok(copy) => attached(&copy.name, "kiez", copy.bytes),
        Err(fault) => refused(fault),
    }
}

/// A file to keep.
fn attached(name: &str, ending: &str, bytes: Vec<u8>) -> Response {
    // A header holds ASCII only.
    let name: String = name.chars().map(|c| if c.is_ascii() { c } else { '-' }).collect();
    let disposition = format!("attachment; filename=\"{name}.{ending}\"");
    let kind = "application/octet-stream".to_owned();
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, bytes).into_response()
}

async fn copy_in(State(server): State<Server>, bytes: Result<Bytes, BytesRejection>) -> Response {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(wrong) => return unreadable(wrong.status()),
    };
    match copies::take_in(&server.house, &bytes).await {
        Ok(read) => Json(read).into_response(),
        Err(fault) => refused(fault),
    }
}

#[derive(Deserialize)]
struct BackingUp {
    passphrase: String,
}

async fn backup(State(server): State<Server>, Asked(BackingUp { passphrase }): Asked<BackingUp>) -> Response {
    match own::back_up(&server.house, &passphrase).await {
        Ok(backup) => attached(&backup.name, "kiez-backup", backup.bytes),
        Err(fault) => refused(fault),
    }
}

async fn recover(State(server): State<Server>, bytes: Result<Bytes, BytesRejection>) -> Response {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(wrong) => return unreadable(wrong.status()),
    };
    let recovered = own::recover(&server.house, &bytes).await;
    answered(recovered.map(|()| serde_json::Value::Null))
}

async fn events(State(server): State<Server>) -> Sse<impl Stream<Item = Result<SentEvent, Infallible>>> {
    let told = server.house.events();
    let sent = told.map(|event| Ok(SentEvent::default().json_data(&event).unwrap_or_default()));
    Sse::new(sent).keep_alive(KeepAlive::default())
}

async fn page(uri: Uri) -> Response {
    match pages::find(uri.path()) {
        Some(page) => ([(header::CONTENT_TYPE, page.kind)], page.bytes.into_owned()).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such page here.").into_response(),
    }
}
