# A private Postfix: queue with fsync, then discarded. Needs root and an installed postfix; starts nothing on port 25.

postfix_ready() { [ "$(id -u)" -eq 0 ] && have postfix && [ -d /usr/lib/postfix/sbin ] && id postfix >/dev/null 2>&1; }

start_postfix() {
    home=$scratch/postfix
    mkdir -p "$home/etc" "$home/spool" "$home/data" && chown postfix "$home/data" && chmod 755 "$home" "$home/etc" "$home/spool"
    # Postfix 3.4 and later want their queue readable down from the root.
    for name in dynamicmaps.cf postfix-files dynamicmaps.cf.d postfix-files.d; do
        [ ! -e "/etc/postfix/$name" ] || cp -r "/etc/postfix/$name" "$home/etc/"
    done
    master=/etc/postfix/master.cf
    [ -f $master ] || master=/usr/share/postfix/master.cf.dist
    sed -E -e 's/^([a-z0-9]+ +(inet|unix|fifo|pass) +[^ ]+ +[^ ]+ +)[y-]/\1n/' -e "s/^smtp( +inet)/127.0.0.1:$port\1/" $master >"$home/etc/master.cf"
    cat >"$home/etc/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $home/spool
data_directory = $home/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = $home/etc
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = $domain
mydestination =
alias_maps =
local_recipient_maps =
relay_domains = $domain
relay_transport = discard
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
message_size_limit = 0
mailbox_size_limit = 0
maillog_file = /var/log/greylag-bench-postfix.log
EOF
    postfix -c "$home/etc" start >>"$scratch/errors" 2>&1 || return 1
    postfix_pid=$(tr -d ' ' <"$home/spool/pid/master.pid")
}

stop_postfix() {
    postfix -c "$scratch/postfix/etc" stop >>"$scratch/errors" 2>&1
    rm -rf "$scratch/postfix" /var/log/greylag-bench-postfix.log
}
