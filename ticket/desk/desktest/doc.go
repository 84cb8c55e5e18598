// Package desktest runs whole desks on every store there is: random people do random things and each
// sees what a small reference says, and every exported method is walked by everybody, with a look at
// what it shows. It is a package of its own so that hosts need no database drivers for its tests.
//
// On databases the tests are brief, unless WORKINBOX_DESK_WHOLE is set. WORKINBOX_MODEL_SEEDS says how
// many seeds the model runs on each store, WORKINBOX_MODEL_SEED that it runs one alone.
package desktest
