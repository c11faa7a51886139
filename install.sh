#!/bin/sh
# Installs greylag, or shows it working, or tests it. POSIX sh; what it is about to do is printed before it is done.
set -eu
cd "$(dirname "$0")"

usage() {
    cat <<'END'
usage: ./install.sh try          build, start a server in a folder of its own, send it a message, show it, clean up
       ./install.sh test         build and run every test; the last line counts them
       ./install.sh [--prefix DIR] [--sysconfdir DIR] [--state DIR] [--library] [--yes] [--dry-run] [--uninstall]

  --prefix DIR      where programs and pages go (/usr/local)
  --sysconfdir DIR  where greylag/smtpd.conf goes (/etc; PREFIX/etc under a prefix in the home folder)
  --state DIR       spool, mail and records (/var/lib/greylag; PREFIX/var/lib/greylag under a prefix in the home folder)
  --library         the client library alone: header, libraries, pkg-config file and page, with a manifest of its own
  --yes             do not ask
  --dry-run         say everything, do nothing
  --uninstall       remove what the manifest of the prefix lists; edited files, mail and the user stay
  --help            this text

DESTDIR in the environment is put before every installed path (for packages); nothing outside it is touched then.
Missing build packages are installed with apt-get on Debian and its kin, and named elsewhere. Nothing is ever started or
enabled but what `try` and `test` need and stop again.
END
}

# --- what is needed and what goes where --------------------------------------------------------------------------------

# package, and the command or header whose absence betrays it
needs() {
    cat <<'END'
g++ g++
make make
libssl-dev openssl/ssl.h
libsodium-dev sodium.h
libc-ares-dev ares.h
libinih-dev ini.h
doctest-dev doctest/doctest.h
END
}

program_folder() {  # name
    case $1 in
    smtpd | greyctl | smtpd-passwd) echo "$prefix/sbin" ;;
    send | smtpd-tls | smtp-tls) echo "$prefix/libexec/greylag" ;;
    *) echo "$prefix/bin" ;;
    esac
}

library_files() {
    echo "644 program lib/client/smtp_client.hh $prefix/include/greylag/smtp_client.hh"
    echo "644 program build/lib/libgreylag-smtp.a $prefix/lib/libgreylag-smtp.a"
    echo "755 program build/lib/libgreylag-smtp.so $prefix/lib/libgreylag-smtp.so"
    echo "644 text build/lib/greylag-smtp.pc $prefix/lib/pkgconfig/greylag-smtp.pc"
    echo "644 text man/greylag-smtp.3 $prefix/share/man/man3/greylag-smtp.3"
}

# One line a file: mode, kind, source, target. program: as it is; text: paths filled in; conf: text that belongs to the
# administrator once it is there.
files() {
    for main in cmd/*/main.cc; do
        name=${main#cmd/} name=${name%/main.cc}
        echo "755 program build/bin/$name $(program_folder "$name")/$name"
    done
    # Made of the sources of smtpd and smtp.
    for name in smtpd-tls smtp-tls; do
        echo "755 program build/bin/$name $(program_folder "$name")/$name"
    done
    library_files
    for page in man/*.[1-9]; do
        [ "$page" != man/greylag-smtp.3 ] || continue
        echo "644 text $page $prefix/share/man/man${page##*.}/${page##*/}"
    done
    for doc in README.md LICENSE; do
        echo "644 program $doc $prefix/share/doc/greylag/$doc"
    done
    echo "644 program grey/whitelist.seed $prefix/share/greylag/whitelist.seed"
    for file in conf/*; do
        name=${file##*/}
        case $name in
        smtpd.conf | smtp.conf) echo "644 conf $file $sysconfdir/greylag/$name" ;;
        smtpd.socket | smtpd@.service | greylag-expire.service | greylag-expire.timer) echo "644 text $file $prefix/lib/systemd/system/$name" ;;
        sysusers.conf) echo "644 text $file $prefix/lib/sysusers.d/greylag.conf" ;;
        tmpfiles.conf) echo "644 text $file $prefix/lib/tmpfiles.d/greylag.conf" ;;
        *.run) echo "755 text $file $prefix/share/doc/greylag/examples/$name" ;;
        *) [ ! -f "$file" ] || echo "644 text $file $prefix/share/doc/greylag/examples/$name" ;;
        esac
    done
}

# The samples are written for the default folders and are valid as they stand.
fill_in() {  # file
    sed -e "s|/usr/local/|$prefix/|g" -e "s|/etc/greylag|$sysconfdir/greylag|g" -e "s|/var/lib/greylag|$state|g" "$1"
}

# --- small helpers -----------------------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }
die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
is_root() { [ "$(id -u)" -eq 0 ]; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if is_root; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root: $* (no sudo here: run it as root)"
    fi
}

checksum() {  # file
    if have sha256sum; then
        sha256sum <"$1" | cut -d ' ' -f 1
    elif have sha256; then
        sha256 -q <"$1"
    else
        openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
    fi
}

work=
server=
finish() {
    status=$?
    trap '' HUP INT TERM
    stop_server
    [ -z "$work" ] || rm -rf "$work"
    trap - EXIT
    exit "$status"
}
stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
make_work() {
    trap finish EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d "${TMPDIR:-/tmp}/greylag.XXXXXX")
}

# --- packages and the build ----------------------------------------------------------------------------------------------

is_there() {  # package probe
    if have dpkg-query; then
        dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'
        return
    fi
    case $2 in
    *.h) printf '#include <%s>\n' "$2" | "${CXX:-c++}" -x c++ -E - >/dev/null 2>&1 ;;
    g++) have "${CXX:-c++}" ;;
    *) have "$2" || have "g$2" ;;
    esac
}

missing_packages() {
    needs | while read -r package probe; do
        is_there "$package" "$probe" || printf '%s ' "$package"
    done
}

packages() {
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        say "build packages: all there"
        return
    fi
    if ! have apt-get; then
        die "missing: ${missing% } (Debian's names); install them with this system's package manager and call again"
    fi
    say "build packages to install with apt-get: ${missing% }"
    [ -z "$dry_run" ] || return 0
    # shellcheck disable=SC2086
    apt_install $missing
}

apt_install() {
    set -- -o DPkg::Lock::Timeout=300 -qq -y --no-install-recommends install "$@"
    ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt_update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >/dev/null && return
    # Lists that have grown old name versions the archive no longer has.
    apt_update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >/dev/null ||
        die "apt-get could not install the packages named above"
}
apt_update() { as_root apt-get -o DPkg::Lock::Timeout=300 -qq update </dev/null; }

cores() { nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1; }
gnu_make() {
    if have gmake; then gmake "$@"; else make "$@"; fi
}
build() {  # make arguments
    say "building with $(cores) jobs"
    gnu_make -s -j"$(cores)" "$@"
}

# --- try and test ------------------------------------------------------------------------------------------------------------------

# shellcheck source=tests/support/try.sh
. tests/support/try.sh

run_tests() {
    say "this builds greylag here and runs every test; nothing outside this folder and ${TMPDIR:-/tmp} is touched"
    packages
    build all
    make_work
    # make's own word about a failure would stand behind the line that counts.
    { gnu_make -s -j"$(cores)" check 2>&1 || : >"$work/failed"; } | sed '/make: \*\*\* .*: check\] Error/d'
    [ ! -e "$work/failed" ]
}

# --- installation ------------------------------------------------------------------------------------------------------------

choose_folders() {
    owner=
    if is_root || [ -n "$DESTDIR" ]; then
        : "${prefix:=/usr/local}"
    elif [ -z "$prefix" ] && ! have sudo; then
        prefix=$HOME/.local
        say "neither root nor sudo: installing for ${USER:-you} alone, under $prefix"
    else
        : "${prefix:=/usr/local}"
    fi
    case $prefix in
    *[[:space:]\&\|]*) die "--prefix '$prefix' holds a blank, an ampersand or a bar" ;;
    /*) prefix=${prefix%/} ;;
    *) die "--prefix wants an absolute path, not '$prefix'" ;;
    esac
    home=${HOME:-/}
    if ! is_root && [ "$home" != / ] && [ "${prefix#"$home"/}" != "$prefix" ]; then
        owner=$(id -un)
        : "${sysconfdir:=$prefix/etc}" "${state:=$prefix/var/lib/greylag}"
    else
        : "${sysconfdir:=/etc}" "${state:=/var/lib/greylag}"
    fi
    manifest=$prefix/share/greylag/manifest$library
    sudo=
    if ! is_root && [ -z "$DESTDIR" ] && [ -z "$owner" ]; then sudo=as_root; fi
}

ask() {
    [ -z "$yes" ] || return 0
    [ -t 0 ] || die "no terminal to ask on: add --yes"
    printf 'go on? [y/N] '
    read -r answer
    case $answer in [yY]*) ;; *) die "nothing done" ;; esac
}

recorded() {  # path: its checksum in the manifest of the last installation
    [ -f "$DESTDIR$manifest" ] || return 0
    awk -v path="$1" '$2 == path { print $1 }' "$DESTDIR$manifest"
}

# Another file in the same folder and a rename: a running program is never written over.
put() {  # mode source target
    $sudo mkdir -p "$DESTDIR$(dirname "$3")"
    $sudo install -m "$1" "$2" "$DESTDIR$3.tmp"
    $sudo mv -f "$DESTDIR$3.tmp" "$DESTDIR$3"
}

changes=0
place() {  # mode kind source target
    mode=$1 kind=$2 source=$3 target=$4
    fresh=$work/fresh
    case $kind in
    program) cp -L "$source" "$fresh" ;;
    *) fill_in "$source" >"$fresh" ;;
    esac
    sum=$(checksum "$fresh")
    installed=$DESTDIR$target
    if [ "$kind" = conf ] && [ -f "$installed" ] && ! cmp -s "$fresh" "$installed" &&
        [ "$(checksum "$installed")" != "$(recorded "$target")" ]; then
        say "kept:      $installed (edited; the new one is $target.new)"
        # Recorded with the checksum of what was shipped: an edited file is never ours to remove.
        echo "$sum $target" >>"$work/manifest"
        target=$target.new
        installed=$installed.new
    fi
    echo "$sum $target" >>"$work/manifest"
    if [ -f "$installed" ] && cmp -s "$fresh" "$installed"; then return; fi
    changes=$((changes + 1))
    say "installed: $installed"
    put "$mode" "$fresh" "$target"
}

# Files of an earlier version that this one no longer has go, unless somebody changed them.
sweep() {
    [ -f "$DESTDIR$manifest" ] || return 0
    while read -r sum path; do
        grep -q " $path\$" "$work/manifest" || remove "$sum" "$path"
    done <"$DESTDIR$manifest"
}

remove() {  # checksum path
    installed=$DESTDIR$2
    [ -f "$installed" ] || return 0
    if [ "$(checksum "$installed")" != "$1" ]; then
        say "kept:      $installed (changed since it was installed)"
        return
    fi
    say "removed:   $installed"
    [ -z "$dry_run" ] || return 0
    $sudo rm -f "$installed"
    prune "$(dirname "$2")"
}

prune() {  # folder: goes when empty, and its parents with it, up to the prefix
    case $1 in
    "$prefix" | "$sysconfdir" | / | . | /etc | /usr | /var) return ;;
    esac
    $sudo rmdir "$DESTDIR$1" 2>/dev/null || return 0
    prune "$(dirname "$1")"
}

systemd_runs() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ -z "$owner" ]; }

# The receiver's own user and its folder; only on the machine itself.
user_and_state() {
    [ -z "$DESTDIR" ] || return 0
    if [ -n "$owner" ]; then
        mkdir -p "$state"
        chmod 750 "$state"
    elif systemd_runs; then
        as_root systemd-sysusers "$prefix/lib/sysusers.d/greylag.conf"
        as_root systemd-tmpfiles --create "$prefix/lib/tmpfiles.d/greylag.conf"
        as_root systemctl daemon-reload
    else
        id -u greylag >/dev/null 2>&1 || {
            say "new user:  greylag"
            as_root useradd --system --no-create-home --home-dir "$state" --shell /usr/sbin/nologin greylag
        }
        [ -d "$state" ] || as_root install -d -o greylag -g greylag -m 750 "$state"
    fi
}

# A whitelist belongs to the administrator from the moment it is there, empty or not.
first_whitelist() {
    [ -z "$DESTDIR" ] || return 0
    if $sudo test -e "$state/grey/whitelist"; then return; fi
    say "new:       $state/grey/whitelist (of senders that greylisting only hurts)"
    set --
    [ -n "$owner" ] || set -- -o greylag -g greylag
    if ! $sudo test -d "$state/grey"; then $sudo install -d "$@" -m 700 "$state/grey"; fi
    $sudo install "$@" -m 600 "$prefix/share/greylag/whitelist.seed" "$state/grey/whitelist"
}

what() { if [ -n "$library" ]; then library_files; else files; fi; }

plan() {
    say "greylag goes to these places:"
    what | while read -r mode kind source target; do
        printf '  %s %s\n' "$mode" "$DESTDIR$target"
    done
    say "  644 $DESTDIR$manifest"
    if [ -n "$library" ]; then return; fi
    if [ -z "$DESTDIR" ]; then
        if [ -n "$owner" ]; then
            say "and the folder $state; nothing needs root"
        else
            say "and the user greylag with its folder $state"
        fi
    fi
    say "an edited configuration is kept; nothing is started"
}

install_all() {
    choose_folders
    packages
    plan
    [ -z "$dry_run" ] || return 0
    ask
    # The library knows no folder: it is the same wherever it goes.
    if [ -n "$library" ]; then build library; else build PREFIX="$prefix" SYSCONFDIR="$sysconfdir" STATE="$state" all; fi
    make_work
    what >"$work/files"
    : >"$work/manifest"
    # Whole or not at all, as far as we can see ahead.
    while read -r mode kind source target; do
        [ -r "$source" ] || die "$source is missing in this tree; nothing installed"
    done <"$work/files"
    while read -r mode kind source target; do
        place "$mode" "$kind" "$source" "$target"
    done <"$work/files"
    sweep
    if ! cmp -s "$work/manifest" "$DESTDIR$manifest"; then put 644 "$work/manifest" "$manifest"; fi
    [ "$changes" -ne 0 ] || say "everything was in place already: nothing changed"
    if [ -n "$library" ]; then return; fi
    user_and_state
    first_whitelist
    next_after_install
}

port_25_taken() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$2 ~ /:0019$/ && $4 == "0A" { taken = 1 } END { exit !taken }'
}

next_after_install() {
    [ -z "$DESTDIR" ] || return 0
    if port_25_taken; then say "note: something already listens on port 25 here; stop it before ours can"; fi
    say ""
    say "what to type next:"
    say "  \${EDITOR:-vi} $sysconfdir/greylag/smtpd.conf      set domain and postmaster"
    say "  $prefix/sbin/smtpd --check                       says what is still wrong, and where"
    if systemd_runs; then
        units=$prefix/lib/systemd/system
        case $prefix in
        /usr | /usr/local) say "  systemctl enable --now smtpd.socket greylag-expire.timer" ;;
        *) say "  systemctl link $units/smtpd@.service $units/greylag-expire.service && systemctl enable --now $units/smtpd.socket $units/greylag-expire.timer" ;;
        esac
    elif [ -n "$owner" ]; then
        say "  $prefix/sbin/smtpd -l 127.0.0.1:2525            a server for this machine; ports below 1024 need root"
    else
        say "  $prefix/sbin/smtpd -l :25                        or a line of $prefix/share/doc/greylag/examples"
    fi
}

uninstall() {
    choose_folders
    [ -f "$DESTDIR$manifest" ] || die "nothing to uninstall: no $DESTDIR$manifest"
    say "greylag goes from these places:"
    sed "s|^[^ ]* |  $DESTDIR|" "$DESTDIR$manifest"
    [ -n "$dry_run" ] || ask
    make_work
    cp "$DESTDIR$manifest" "$work/manifest"
    while read -r sum path; do
        remove "$sum" "$path"
    done <"$work/manifest"
    [ -z "$dry_run" ] || return 0
    $sudo rm -f "$DESTDIR$manifest"
    prune "$(dirname "$manifest")"
    if [ -n "$library" ]; then return; fi
    if systemd_runs; then as_root systemctl daemon-reload; fi
    [ ! -d "$DESTDIR$state" ] || say "left: $DESTDIR$state (mail and records) and the user greylag"
}

# --- the command line ------------------------------------------------------------------------------------------------------

bad_usage() {
    printf 'install.sh: %s\n' "$1" >&2
    usage | sed -n '1,3p' >&2
    exit 64
}

prefix=${PREFIX:-} sysconfdir=${SYSCONFDIR:-} state=${STATE:-} DESTDIR=${DESTDIR:-}
action=install yes='' dry_run='' library=''
while [ $# -gt 0 ]; do
    case $1 in
    --*=*)
        rest=${1#*=} word=${1%%=*}
        shift
        set -- "$word" "$rest" "$@"
        continue
        ;;
    --prefix | --sysconfdir | --state)
        [ $# -ge 2 ] || bad_usage "$1 needs an argument"
        case $1 in
        --prefix) prefix=$2 ;;
        --sysconfdir) sysconfdir=$2 ;;
        --state) state=$2 ;;
        esac
        shift
        ;;
    --library) library=.library ;;
    --yes) yes=1 ;;
    --dry-run) dry_run=1 ;;
    --uninstall) action=uninstall ;;
    --help | -h)
        usage
        exit 0
        ;;
    try | test) action=$1 ;;
    *) bad_usage "unknown word '$1'" ;;
    esac
    shift
done

case $action in
try) try ;;
test) run_tests ;;
install) install_all ;;
uninstall) uninstall ;;
esac
