package tools

import "context"

// The states of a step of a set-up.
const (
	StepDone     = "done"
	StepExisting = "existing"
	StepWaiting  = "waiting"
	StepFailed   = "failed"
)

// SetupStep is one step of a set-up.
type SetupStep struct {
	Step   string `json:"step"`
	Status string `json:"status" jsonschema_description:"done now, existing from before, waiting or failed"`
	ID     string `json:"id,omitempty" jsonschema_description:"Of the record, certificate or rule"`
	Detail string `json:"detail"`
}

// setupPart is a step of a set-up before it is done.
type setupPart struct {
	name string
	do   func(context.Context) (SetupStep, error)
}

// setUp does the steps of a set-up of something, and adds them to a list as they are
// done. One that fails does not keep the others from being done; only a call that is
// over does.
func setUp(ctx context.Context, of string, into *[]SetupStep, parts []setupPart) error {
	for i, part := range parts {
		Progress(ctx, float64(i), float64(len(parts)), part.name+" of "+of)
		step, err := part.do(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			step.Status, step.Detail = StepFailed, oneLine(Explain("it", err))
		}
		step.Step = part.name
		*into = append(*into, step)
	}
	return nil
}
