/* SPDX-License-Identifier: Apache-2.0
 * The link protocol of fabric/rtl/link/link_tx.sv, link_rx.sv and link_window.sv: numbers modulo M, requests that
 * repeat until served, restart words, go-back-N, cumulative credits, on a wire that may damage any LOSSES
 * words. Both ends move in rounds like the hardware: take the word that arrives, then send one.
 *
 *   sender --flits (number, value)--> receiver        wire: LATENCY words each way
 *          <--ask, number, freed------
 *
 * Shown: every flit once, in order, none invented (assert); the buffer never overflows (assert); no
 * deadlock; all N flits arrive (done). BROKEN = 1, 2, 3 each take one mechanism away and must fail.
 */
#define N 7        /* flits, more than the numbers go round */
#define M 6        /* numbers */
#define WINDOW 3
#define DEPTH 2    /* of the receiver's buffer */
#define LATENCY 2
#ifndef LOSSES
#define LOSSES 3
#endif
#define SILENCE 8  /* rounds without news before the sender goes back by itself */
#ifndef BROKEN
#define BROKEN 0   /* 1: no number in the check; 2: credits as increments; 3: no silence timer */
#endif

mtype = { FLIT, CTRL, NULLW };
chan there = [LATENCY] of { mtype, byte, byte };  /* type, number, value */
chan back  = [LATENCY] of { bool, byte, byte };   /* ask, number expected, freed */
byte losses, delivered;

inline damage(hurt) {
  hurt = false;
  if
  :: losses < LOSSES -> losses++; hurt = true
  :: true
  fi
}

active proctype sender() {
  byte acked, send, write, freed, ack, told, acks, silence;
  bool ask, served, restart, hurt, go_back;
  byte i;
  for (i : 1 .. LATENCY) { there ! NULLW, 0, 0 }
  do
  :: back ? ask, ack, told ->
    d_step { go_back = false; acks = 0 }
    damage(hurt);
    d_step {
      if
      :: !hurt ->
        if
        :: BROKEN == 2 -> freed = freed + told
        :: else -> freed = freed + (told + M - freed % M) % M
        fi;
        acks = (ack + M - acked % M) % M;
        if
        :: acks <= write - acked ->
          go_back = ask && !(served && acks == 0);
          if :: !go_back && !ask -> served = false :: else fi;
          acked = acked + acks
        :: else -> acks = 0
        fi
      :: else
      fi;
      /* the timer */
      if
      :: (write == acked && !served) || acks > 0 -> silence = 0
      :: else -> silence++
      fi;
      if
      :: silence == SILENCE ->
        silence = 0;
        if :: BROKEN != 3 -> go_back = true :: else fi
      :: else
      fi;
      if
      :: go_back -> served = true; silence = 0
      :: else
      fi;
      if
      :: go_back || send < acked -> send = acked; restart = true
      :: else
      fi;
      /* the router has a flit, when there is room and credit */
      if
      :: write < N && write - acked < WINDOW && write - freed < DEPTH -> write++
      :: else
      fi
    }
    if
    :: restart -> restart = false; there ! CTRL, send % M, 0
    :: !restart && send < write -> there ! FLIT, send % M, send; send++
    :: else -> there ! NULLW, 0, 0
    fi
  od
}

active proctype receiver() {
  byte expected, along, freed, number, value, reported, stalls;
  bool asked, hurt;
  mtype type;
  byte i;
  for (i : 1 .. LATENCY) { back ! false, 0, 0 }
  do
  :: there ? type, number, value ->
    damage(hurt);
    d_step {
      if
      :: hurt ->
        asked = true;
        if :: type == FLIT -> along = (along + 1) % M :: else fi
      :: !hurt && type == FLIT ->
        if
        :: number == expected % M || BROKEN == 1 ->
          assert(value == expected);          /* in order, none lost, none twice */
          expected++;
          assert(expected - freed <= DEPTH);  /* no overflow */
          along = expected % M;
          asked = false
        :: else ->
          if
          :: number == along && (along + M - expected % M) % M >= M / 2 -> skip  /* came before */
          :: else -> asked = true
          fi;
          along = (along + 1) % M
        fi
      :: !hurt && type == CTRL ->
        along = number;
        if :: number == expected % M -> asked = false :: else fi
      :: else
      fi;
      delivered = expected
    }
    reported = freed;
    if  /* somebody takes a flit out of the buffer, or not yet */
    :: freed < expected -> freed++
    :: freed < expected && stalls < 2 -> stalls++
    :: freed == expected
    fi;
    if
    :: BROKEN == 2 -> back ! asked, expected % M, freed - reported
    :: else -> back ! asked, expected % M, freed % M
    fi
  od
}

ltl done { <> (delivered == N) }
