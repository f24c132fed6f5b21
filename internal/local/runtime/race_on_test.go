//go:build race

package runtime

// raceDetector: the engine is about fifty times slower with it.
const raceDetector = true
