//! The Debian package, as `packaging/make-deb` makes it, installed for real on a throw-away layer over this machine; the unit; the
//! dashboard.
use std::{path::Path, process::Stdio};

use hookswitch_testkit::{
    Server, Value,
    companion::repository,
    program::{binary, may_mount},
};
use tokio::process::Command;

async fn run(program: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).current_dir(repository()).stdin(Stdio::null()).output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{program} {args:?}: {said}");
    said
}

async fn package(folder: &Path) -> String {
    let said = run("packaging/make-deb", &[binary().to_str().unwrap(), folder.to_str().unwrap()]).await;
    said.lines().last().unwrap().to_owned()
}

/// What is done on the layer: installed, started as its user, upgraded over itself, removed, purged.
const LIFE: &str = r#"
set -eu
dpkg -i "$1" > /dev/null
id -u hookswitch > /dev/null
test "$(stat -c '%U %a' /var/lib/hookswitch)" = 'hookswitch 700'
test "$(stat -c '%U %G %a' /etc/hookswitch/hookswitch.toml)" = 'root hookswitch 640'
grep -q hookswitch.service /var/lib/dpkg/info/hookswitch.list
echo '# mine' >> /etc/hookswitch/hookswitch.toml
cd /var/lib/hookswitch
as_service='setpriv --reuid hookswitch --regid hookswitch --clear-groups'
$as_service hookswitch config --config /etc/hookswitch/hookswitch.toml > /dev/null
mkfifo /tmp/said && chmod 666 /tmp/said
$as_service hookswitch serve --config /etc/hookswitch/hookswitch.toml --listen 127.0.0.1:0 > /tmp/said 2> /tmp/log &
served=$!
read -r line < /tmp/said || { cat /tmp/log; exit 1; }
url=${line#listening on }
curl -sf "$url/readyz" > /dev/null
kill -TERM $served
wait $served
test -f /var/lib/hookswitch/first-login.txt
grep -q 'complete -F _hookswitch' /usr/share/bash-completion/completions/hookswitch
# A machine may be set to leave man pages out.
dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/share/man/man1/hookswitch-clients-add.1.gz | zcat | grep -q credit
dpkg -i "$1" > /dev/null
tail -1 /etc/hookswitch/hookswitch.toml | grep -q mine
dpkg -r hookswitch > /dev/null
test ! -e /usr/bin/hookswitch
test -f /etc/hookswitch/hookswitch.toml
dpkg -P hookswitch 2>&1 | grep -q 'is left'
test ! -e /etc/hookswitch/hookswitch.toml
test -f /var/lib/hookswitch/hookswitch.db
echo all of it
"#;

#[tokio::test]
async fn the_debian_package_is_installed_runs_and_leaves_the_data_when_it_goes() {
    if !may_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = package(folder.path()).await;
    std::fs::write(folder.path().join("life"), LIFE).unwrap();
    let layer = r#"cd "$1" && mkdir layer && mount -t tmpfs none layer && mkdir layer/upper layer/work layer/root
      mount -t overlay overlay -o lowerdir=/,upperdir=layer/upper,workdir=layer/work layer/root
      mount -t proc none layer/root/proc && mount --rbind /dev layer/root/dev && mount -t tmpfs none layer/root/tmp
      cp life "$2" layer/root/tmp/ && exec chroot layer/root sh /tmp/life "/tmp/$(basename "$2")""#;
    let args = ["--mount", "sh", "-ec", layer, "sh", folder.path().to_str().unwrap(), &package];
    let said = run("unshare", &args).await;
    assert!(said.ends_with("all of it\n"), "{said}");
}

#[tokio::test]
async fn the_unit_is_one_and_keeps_the_service_within_narrow_walls() {
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(repository().join("packaging/hookswitch.service")).unwrap();
    let path = folder.path().join("hookswitch.service");
    let program = binary();
    std::fs::write(&path, unit.replace("/usr/bin/hookswitch", program.to_str().unwrap()).replace("file:///usr", "file:/usr"))
        .unwrap();
    let said = run("systemd-analyze", &["verify", "--man=no", path.to_str().unwrap()]).await;
    assert_eq!(said.lines().filter(|line| line.contains("hookswitch.service")).collect::<Vec<_>>(), [""; 0], "{said}");
    let worst = "--threshold=20";
    run("systemd-analyze", &["security", "--offline=true", worst, path.to_str().unwrap()]).await;
    let page = std::fs::read_to_string(repository().join("docs/operations.md")).unwrap();
    assert!(page.contains("packaging/hookswitch.service"), "the docs lead to it");
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    let text = std::fs::read_to_string(repository().join("packaging/grafana/hookswitch.json")).unwrap();
    let board: Value = text.parse().unwrap();
    let server = Server::start().await;
    server.client("Acme").await;
    let metrics = server.get("/metrics").await.text;
    let known = |name: &str| metrics.lines().any(|line| line.strip_prefix("# TYPE ").is_some_and(|line| is_of(name, line)));
    let panels = board["panels"].as_array().unwrap();
    assert!(panels.len() > 10);
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let expr = target["expr"].as_str().unwrap();
        let names =
            expr.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').filter(|word| word.starts_with("hookswitch_"));
        for name in names {
            assert!(known(name), "{name}");
        }
    }
}

/// A series' name belongs to a metric: counters end with `_total`, histograms with `_bucket`.
fn is_of(name: &str, declared: &str) -> bool {
    let (metric, kind) = declared.split_once(' ').unwrap();
    match kind {
        "counter" => name.strip_suffix("_total") == Some(metric),
        "histogram" => name.strip_suffix("_bucket") == Some(metric),
        _ => name == metric,
    }
}
