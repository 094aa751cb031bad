/* leat/leat.h - all of leat. */
#pragma once
#include "channel.h"
#include "defer.h"
#include "goroutine.h"
#include "io.h"
#include "runtime.h"
#include "scope.h"
#include "select.h"
#include "signal.h"
#include "stage.h"
#include "status.h"
#include "time.h"
#include "typed.h"
