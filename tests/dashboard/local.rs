//! Local mode: page and REST on one port, users with tokens under a key that is made up, a feed as fast as one likes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LIMIT, answer, assert_has, body};
use crate::support::bins;
use crate::support::client::Request;
use crate::support::http1::Connection;
use crate::support::local::Local;
use crate::support::process::Process;
use crate::support::sse::SseClient;
use contract::frames::FRAMES_VARIABLE;
use contract::{limits, routes};

#[tokio::test]
async fn the_page_may_connect_to_its_stream_and_to_nothing_else() {
    let local = Local::start(&[]).await;
    let get = async |path: &str| Request::get(local.dashboard, path).send().await;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; connect-src 'self' http://{}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        local.stream
    );
    for (path, kind) in [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/js/main.js", "text/javascript"),
        ("/config.js", "text/javascript; charset=utf-8"),
    ] {
        let response = get(path).await;
        assert_eq!((response.status(), response.head.all("content-type")), (200, vec![kind.to_owned()]), "{path}");
        assert_eq!(response.head.all("content-security-policy"), [policy.as_str()], "{path}");
        assert_eq!(response.head.all("x-content-type-options"), ["nosniff"], "{path}");
        assert_eq!(response.head.all("x-frame-options"), ["DENY"], "{path}");
        assert_eq!(response.head.all("cache-control"), ["no-cache"], "{path}");
        if path != "/config.js" {
            let modified = response.head.get("last-modified").unwrap();
            let again = Request::get(local.dashboard, path).header("If-Modified-Since", modified).send().await;
            assert_eq!(again.status(), 304, "{path}");
        }
    }
    let text = String::from_utf8(get("/config.js").await.bytes().await.unwrap()).unwrap();
    let json = text.trim().strip_prefix("window.CONFIG = Object.freeze(").unwrap().strip_suffix(");").unwrap();
    let expected = json!({
        "API_BASE_URL": "", "SSE_BASE_URL": format!("http://{}", local.stream), "AUTH_MODE": "session",
        "SIGNED_REQUESTS": false, "POLL_INTERVAL_MS": 5000, "ENVIRONMENT": "local",
    });
    assert_has(&serde_json::from_str(json).unwrap(), &expected);
    let runtime = answer(get(routes::RUNTIME).await, 200).await;
    assert_eq!(runtime, json!({ "sse_url": format!("http://{}", local.stream), "environment": "local" }));
    // Unknown routes of the API are the API's; everything else is the page's.
    assert_eq!(answer(get("/api/v2/nowhere").await, 404).await, json!({ "detail": "Not found" }));
    assert_eq!(get("/nowhere.js").await.status(), 404);
}

#[tokio::test]
async fn pages_that_may_show_it_in_a_frame_are_named_and_no_other_header_says_otherwise() {
    let local = Local::start(&[(FRAMES_VARIABLE, "https://intranet.example.com,http://localhost:3000")]).await;
    for path in ["/?embed=1", "/js/main.js", "/config.js"] {
        let response = Request::get(local.dashboard, path).send().await;
        let policy = response.head.get("content-security-policy").unwrap();
        let named = "; frame-ancestors https://intranet.example.com http://localhost:3000; ";
        assert!(policy.contains(named) && policy.matches("frame-ancestors").count() == 1, "{path}: {policy}");
        assert!(response.head.all("x-frame-options").is_empty(), "{path}");
        assert_eq!(response.head.all("x-content-type-options"), ["nosniff"], "{path}");
    }
    // What is data is nothing to frame, whoever may frame the page.
    let data = Request::get(local.dashboard, routes::METRICS).send().await;
    assert_eq!(data.head.all("x-frame-options"), ["DENY"]);
    assert_eq!(data.head.all("content-security-policy"), ["default-src 'none'; frame-ancestors 'none'"]);
    let refused = Process::spawn(
        &bins::path("local"),
        &[],
        &[(FRAMES_VARIABLE.to_owned(), "https://*.example.com".to_owned())].into(),
    );
    assert!(!refused.exits_within(LIMIT).await.success());
    let said = refused.text();
    assert!(said.contains("PAGE_FRAME_ANCESTORS: `https://*.example.com` is no origin; it must be 1 to 16"), "{said}");
}

#[tokio::test]
async fn a_token_of_one_port_saves_what_the_other_streams_with_header_cookie_and_query() {
    let local = Local::start(&[]).await;
    let response = Request::new(local.dashboard, "POST", routes::AUTH_ANONYMOUS).send().await;
    let cookie = response.head.get("set-cookie").unwrap();
    let lifetime = limits::SESSION_LIFETIME_DEFAULT.as_secs();
    let issued = answer(response, 201).await;
    let token = issued["token"].as_str().unwrap();
    let expected = format!("session={token}; HttpOnly; Secure; SameSite=Strict; Path=/api/; Max-Age={lifetime}");
    assert_eq!(cookie, expected);
    let cookie = cookie.split(';').next().unwrap();
    let post = Request::new(local.dashboard, "POST", routes::CONFIGURATIONS).json(&body("mine", &["AAPL"]));
    let made = answer(post.header("Cookie", cookie).send().await, 201).await;
    let id = made["config_id"].as_str().unwrap();
    let one = routes::CONFIGURATION.replace("{config_id}", id);
    for request in [
        Request::get(local.dashboard, &one).header("Authorization", format!("Bearer {token}")),
        Request::get(local.dashboard, &one).header("Cookie", cookie),
        Request::get(local.dashboard, &format!("{one}?token={token}")),
    ] {
        assert_eq!(answer(request.send().await, 200).await, made);
    }
    let stream = routes::CONFIGURATION_STREAM.replace("{config_id}", id);
    let mut client = SseClient::connect(Request::get(local.stream, &format!("{stream}?token={token}"))).await;
    let metrics = client.data("metrics", LIMIT).await;
    assert_eq!(metrics["by_tag"].as_object().unwrap().keys().collect::<Vec<_>>(), ["AAPL"]);
    // Another process, another key.
    let other = Local::start(&[]).await;
    let unknown = Request::get(other.dashboard, &one).header("Cookie", cookie).send().await;
    assert_eq!(answer(unknown, 401).await, json!({ "detail": "Missing user identification" }));
}

#[tokio::test]
async fn the_cookie_is_called_as_the_settings_say() {
    let local = Local::start(&[("AUTH_COOKIE", "__Host-id")]).await;
    let response = Request::new(local.dashboard, "POST", routes::AUTH_ANONYMOUS).send().await;
    let cookie = response.head.get("set-cookie").unwrap();
    let token = answer(response, 201).await["token"].as_str().unwrap().to_owned();
    // Browsers take such a name for the whole host only.
    assert!(cookie.starts_with(&format!("__Host-id={token}; HttpOnly; Secure; SameSite=Strict; Path=/; ")), "{cookie}");
    let status = async |name: &str| {
        let request = Request::get(local.dashboard, routes::CONFIGURATIONS).header("Cookie", format!("{name}={token}"));
        request.send().await.status()
    };
    assert_eq!((status("__Host-id").await, status("session").await), (200, 401));
}

#[tokio::test]
async fn a_form_of_another_site_takes_no_cookie_away() {
    let local = Local::start(&[]).await;
    for (site, is_set) in [("same-origin", true), ("same-site", true), ("none", true), ("cross-site", false)] {
        let request = Request::new(local.dashboard, "POST", routes::AUTH_ANONYMOUS).header("Sec-Fetch-Site", site);
        let response = request.send().await;
        assert_eq!((response.status(), response.head.get("set-cookie").is_some()), (201, is_set), "{site}");
    }
}

#[tokio::test]
async fn headers_of_the_manifest_are_let_through_beside_the_own_ones() {
    let local = Local::start(&[("CORS_ALLOW_HEADERS", "X-Tenant,x-api-key,Pragma")]).await;
    for (server, path) in [(local.stream, routes::STREAM), (local.dashboard, routes::METRICS)] {
        let preflight = Request::new(server, "OPTIONS", path).header("Origin", "https://page.example.com");
        let response = preflight.header("Access-Control-Request-Method", "GET").send().await;
        let allowed = response.head.get("access-control-allow-headers").unwrap();
        let allowed: Vec<&str> = allowed.split(", ").collect();
        let mut expected = contract::cors::ALLOW_HEADERS.to_vec();
        expected.extend(["x-api-key", "x-tenant"]);
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[tokio::test]
async fn preflights_are_answered_as_the_function_url_does_and_the_page_is_nobody_elses() {
    let local = Local::start(&[]).await;
    let origin = "https://page.example.com";
    let wanted =
        "authorization, baggage, cache-control, content-type, last-event-id, traceparent, tracestate, x-requested-with";
    let list = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    for (server, path, methods) in [
        (local.stream, routes::STREAM, &contract::cors::STREAM_METHODS[..]),
        (local.stream, "/api/v2/stream/", &contract::cors::STREAM_METHODS),
        (local.dashboard, routes::METRICS, &contract::cors::DASHBOARD_METHODS),
        (local.dashboard, "//api/v2/configurations/", &contract::cors::DASHBOARD_METHODS),
        (local.dashboard, "/api/v2/configurations/a", &contract::cors::DASHBOARD_METHODS),
        (local.dashboard, "/api/v2/nowhere", &contract::cors::DASHBOARD_METHODS),
    ] {
        let preflight = Request::new(server, "OPTIONS", path).header("Origin", origin);
        let preflight = preflight.header("Access-Control-Request-Method", "GET");
        let response = preflight.header("Access-Control-Request-Headers", wanted.replace(' ', "")).send().await;
        assert_eq!(response.status(), 204, "{path}");
        assert_eq!(response.head.all("access-control-allow-origin"), ["*"], "{path}");
        assert_eq!(list(&response.head.get("access-control-allow-methods").unwrap()), methods, "{path}");
        let allowed = list(&response.head.get("access-control-allow-headers").unwrap());
        assert_eq!(allowed, contract::cors::ALLOW_HEADERS, "{path}");
        assert!(list(wanted).iter().all(|name| allowed.contains(name)), "{path}: {allowed:?}");
        assert_eq!(response.head.all("access-control-max-age"), ["3600"], "{path}");
        // With credentials no page of another origin could use it.
        assert!(response.head.all("access-control-allow-credentials").is_empty(), "{path}");
    }
    let metrics = Request::get(local.dashboard, routes::METRICS).header("Origin", origin).send().await;
    assert_eq!(metrics.head.all("access-control-allow-origin"), ["*"]);
    let readable = list(&metrics.head.get("access-control-expose-headers").unwrap());
    assert_eq!(readable, contract::cors::EXPOSE_HEADERS);
    for path in ["/", "/config.js", "/js/main.js"] {
        let page = Request::get(local.dashboard, path).header("Origin", origin).send().await;
        assert!(page.head.all("access-control-allow-origin").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn slashes_too_many_lead_to_the_same_route_and_files_keep_their_own_paths() {
    let local = Local::start(&[("SAMPLE_RATE", "0")]).await;
    for path in ["/api/v2/metrics/", "//api/v2/metrics", "/api//v2///metrics//?tickers=AAPL,&tickers=", "/health/"] {
        answer(Request::get(local.dashboard, path).send().await, 200).await;
    }
    let (token, _) = crate::auth::sessions::anonymous(local.dashboard).await;
    for path in ["/api/v2/configurations/", "//api//v2/configurations?token=x"] {
        let request = Request::get(local.dashboard, path).header("Authorization", format!("Bearer {token}"));
        assert_eq!(answer(request.send().await, 200).await, json!({ "configurations": [] }), "{path}");
    }
    let missing = Request::get(local.dashboard, "/api/v2/configurations//none/").send().await;
    assert_eq!(answer(missing, 401).await, json!({ "detail": "Missing user identification" }));
    assert_eq!(Request::get(local.dashboard, "/js/main.js").send().await.status(), 200);
}

#[tokio::test]
async fn the_sample_feed_is_as_fast_as_it_is_told() {
    let feed = async |rate: &str| Local::start(&[("SAMPLE_RATE", rate), ("SSE_POLL_INTERVAL", "100ms")]).await;
    let total = async |local: &Local| -> i64 {
        let asked = Instant::now();
        loop {
            let metrics: Value = Request::get(local.dashboard, routes::METRICS).send().await.into_json().await;
            // A machine that is busy has not read the window yet.
            if let Some(total) = metrics["total"].as_i64() {
                break total;
            }
            assert!(asked.elapsed() < LIMIT, "{metrics}");
        }
    };
    let (none, many) = tokio::join!(feed("0"), feed("100"));
    let (began, before) = (Instant::now(), (total(&none).await, total(&many).await));
    while total(&many).await < before.1 + 300 {
        assert!(began.elapsed() < LIMIT, "{} items in {LIMIT:?}", total(&many).await - before.1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Three seconds' items, and what was due when the count began.
    assert!(began.elapsed() > Duration::from_secs(2), "300 items in {:?}", began.elapsed());
    // The same before and after the program began.
    assert_eq!((before.0, total(&none).await), (0, 0));
    for bad in ["10001", "-1", "fast", "1.5", ""] {
        let env = [("SAMPLE_RATE".to_owned(), bad.to_owned())].into();
        let process = Process::spawn(&bins::path("local"), &[], &env);
        assert_eq!(process.exits_within(LIMIT).await.code(), Some(1), "{bad}");
        let rule =
            format!("error: SAMPLE_RATE: `{bad}` is not a number of items a second, a whole number from 0 to 10000");
        assert!(process.text().contains(&rule), "{}", process.text());
    }
}

#[tokio::test]
async fn what_is_called_by_another_name_is_not_answered() {
    let local = Local::start(&[]).await;
    // Numbers are there once the window was read, which takes a busy machine a while.
    let began = Instant::now();
    while Request::get(local.dashboard, routes::METRICS).send().await.status() != 200 {
        assert!(began.elapsed() < LIMIT, "no numbers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ask = async |server: std::net::SocketAddr, path: &str, host: &str| {
        let mut connection = Connection::open(server, None).await.unwrap();
        connection.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        let head = connection.head().await.unwrap().unwrap();
        head.word(1).parse::<u16>().unwrap()
    };
    for (server, path) in [
        (local.dashboard, routes::METRICS),
        (local.dashboard, "/"),
        (local.dashboard, "/config.js"),
        (local.stream, routes::STREAM_STATUS),
        (local.stream, "/metrics"),
    ] {
        let port = server.port();
        for own in ["localhost".to_owned(), format!("localhost:{port}"), format!("[::1]:{port}"), server.to_string()] {
            assert_eq!(ask(server, path, &own).await, 200, "{own}{path}");
        }
        for other in [format!("rebound.example:{port}"), format!("localhost.example:{port}"), "192.0.2.1".to_owned()] {
            assert_eq!(ask(server, path, &other).await, 421, "{other}{path}");
        }
    }
}
