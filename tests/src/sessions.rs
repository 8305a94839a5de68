//! Who is signed in: with what, for how long, on which node, and when no more.
use hookswitch_testkit::{ADMIN_PASSWORD, Answer, Api, Clocked, Server, json};

const HOUR: i64 = 3_600;
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn try_to_sign_in(api: &Api, login: &str, password: &str) -> Answer {
    let form = format!("login={login}&password={}", password.replace(' ', "+"));
    api.try_post("/login", &[FORM, ("x-api-key", "")], form).await.unwrap()
}

/// Signs in, and gives the cookie.
pub(crate) async fn sign_in(api: &Api, login: &str, password: &str) -> String {
    let answer = try_to_sign_in(api, login, password).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

async fn page(api: &Api, cookie: &str, path: &str) -> Answer {
    api.try_send("GET", path, &[("cookie", cookie), ("x-api-key", "")], "").await.unwrap()
}

pub(crate) async fn is_in(api: &Api, cookie: &str) -> bool {
    match page(api, cookie, "/resellers").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// A user with a password of his own.
pub(crate) async fn user(api: &Api, login: &str) -> i64 {
    let user = json!({"login": login, "password": format!("password of {login}"), "role": "operator"});
    api.ok("users.create", user).await["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_ends_when_its_user_says_so() {
    let mut server = Server::start().await;
    let (one, other) = (sign_in(&server, "admin", ADMIN_PASSWORD).await, sign_in(&server, "admin", ADMIN_PASSWORD).await);
    assert_ne!(one, other);
    server.kill9().await;
    server.start_again().await;
    assert!(is_in(&server, &one).await && is_in(&server, &other).await);
    server.try_post("/logout", &[FORM, ("cookie", &one)], "").await.unwrap();
    assert!(!is_in(&server, &one).await && is_in(&server, &other).await);
    for rubbish in ["hookswitch_session=", "hookswitch_session=0", "other=1", "hookswitch_session=%00"] {
        assert!(!is_in(&server, rubbish).await);
    }
}

#[tokio::test]
async fn a_session_is_its_users_only_as_long_as_he_may_act() {
    let server = Server::start().await;
    let id = user(&server, "eve").await;
    let eve = sign_in(&server, "eve", "password of eve").await;
    assert!(is_in(&server, &eve).await);
    for (out, back) in [
        (json!({"status": "disabled"}), json!({"status": "active"})),
        (json!({"allowed_ips": ["10.9.8.7"]}), json!({"allowed_ips": []})),
    ] {
        for (change, expected) in [(out, false), (back, true)] {
            let mut params = change;
            params["id"] = id.into();
            server.ok("users.update", params).await;
            assert_eq!(is_in(&server, &eve).await, expected);
        }
    }
    server.ok("users.update", json!({"id": id, "password": "another password"})).await;
    assert!(!is_in(&server, &eve).await, "whoever is in by the old password is out");
    assert_eq!(try_to_sign_in(&server, "eve", "password of eve").await.status, 401);
    let eve = sign_in(&server, "eve", "another password").await;
    server.ok("users.delete", json!({"id": id})).await;
    assert!(!is_in(&server, &eve).await);
}

#[tokio::test]
async fn what_a_page_shows_is_what_its_reader_may_see_and_the_api_knows_no_cookies() {
    let server = Server::start().await;
    let reader = json!({"login": "eve", "password": "password of eve", "role": "readonly"});
    server.ok("users.create", reader).await;
    let eve = sign_in(&server, "eve", "password of eve").await;
    assert_eq!(page(&server, &eve, "/resellers/999").await.status, 404);
    let form = "name=Beta&timezone=UTC";
    let refused = server.try_post("/resellers/new", &[FORM, ("cookie", &eve)], form).await.unwrap();
    assert!(refused.status == 403 && refused.text.contains("needs the role operator or admin"), "{refused:?}");
    for path in ["/api/clients", "/api/"] {
        let answer = server.try_send("GET", path, &[("cookie", &eve), ("x-api-key", "")], "").await.unwrap();
        assert!([401, 405].contains(&answer.status), "{path}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_twelve_hours_without_use_and_after_seven_days() {
    let server = Clocked::start().await;
    let idle = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let used = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    server.advance(11 * HOUR);
    assert!(is_in(&server, &used).await);
    server.advance(2 * HOUR);
    assert!(!is_in(&server, &idle).await && is_in(&server, &used).await);
    for _ in 0..14 {
        server.advance(11 * HOUR);
        assert!(is_in(&server, &used).await);
    }
    server.advance(2 * HOUR);
    assert!(!is_in(&server, &used).await, "7 days");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_is_slowed_down_and_a_right_password_is_never_refused() {
    let server = Clocked::start().await;
    for login in ["admin", "nobody", "admin", "nobody", "admin"] {
        let wrong = try_to_sign_in(&server, login, "wrong").await;
        assert!(wrong.status == 401 && wrong.text.contains("the login or the password is wrong"), "{wrong:?}");
    }
    let slowed = try_to_sign_in(&server, "admin", "wrong").await;
    assert_eq!((slowed.status, slowed.header("retry-after").is_empty()), (429, false));
    sign_in(&server, "admin", ADMIN_PASSWORD).await;
    server.advance(61);
    assert_eq!(try_to_sign_in(&server, "admin", "wrong").await.status, 401);
}

#[tokio::test]
async fn of_one_users_sessions_those_used_last_stay() {
    let server = Server::start().await;
    let first = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let mut last = first.clone();
    for _ in 0..32 {
        last = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    }
    assert!(!is_in(&server, &first).await && is_in(&server, &last).await);
}
