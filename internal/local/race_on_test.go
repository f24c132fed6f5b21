//go:build race

package local

// raceDetector: everything is several times slower with it.
const raceDetector = true
