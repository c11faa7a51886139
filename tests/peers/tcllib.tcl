# One message through ::smtp::sendmessage: tclsh tcllib.tcl PORT OPTION VALUE ... What it returns goes to standard output, an error
# to standard error with its code as the exit status.
package require mime
package require smtp
set options [lassign $argv port]
set token [mime::initialize -canonical text/plain -string "hello\n.dot\n..two\nend\n"]
set code [catch {smtp::sendmessage $token -servers 127.0.0.1 -ports $port -client tcl.home.arpa -usetls 0 {*}$options} result]
mime::finalize $token
if {$code} {
    puts stderr "$code $result"
    exit 1
}
foreach refused $result { puts "[lindex $refused 0] [lindex $refused 1] [lindex $refused 2]" }
