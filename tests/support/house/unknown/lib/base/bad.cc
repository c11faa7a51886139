#include "cellar/wine.hh"
