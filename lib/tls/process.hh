// How OpenSSL is begun in a process that is ours alone: for programs, never for the client library in somebody else's.
//
// No configuration of the system is read: it costs half a millisecond and may change what we promise. Nothing is tidied up at the
// end. Only those algorithms are made ready that TLS and our mechanisms may choose. Without this OpenSSL begins in its own way,
// everything here works the same, and takes twice the time until the first session stands.
#pragma once

namespace greylag::tls {

// Before any other function of this room; more than once does no harm.
void own_process();

}  // namespace greylag::tls
