#include "mail/ip.hh"
