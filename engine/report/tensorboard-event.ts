import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { integer, message, text } from '../formats/protobuf-writer.ts';

/**
 * Messages of TensorBoard's event files (event.proto, summary.proto and tensor.proto in its
 * `compat/proto`), as its own writers and that of PyTorch make them.
 */

/** Field numbers of what is written here. */
const FIELD = {
  event: { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 },
  sessionLog: { status: 1 },
  summary: { value: 1 },
  value: { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 },
  metadata: { pluginData: 1 },
  pluginData: { pluginName: 1 },
  tensor: { dtype: 1, shape: 2, stringValue: 8 },
  shape: { dim: 2 },
  dim: { size: 1 },
} as const;

const SESSION_START = 1;
const DT_STRING = 7;

/** When and where in a run something is so. */
export interface EventPlace {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly step: number;
}

/** The first event of a file: which edition of the format it is. */
export function versionEvent(time: number): Uint8Array {
  return event({ time, step: 0 }, (writer) =>
    text(writer, FIELD.event.fileVersion, 'brain.Event:2'),
  );
}

/** A run that goes on: what earlier files say of this step and of later ones counts no more. */
export function sessionStartEvent(place: EventPlace): Uint8Array {
  return event(place, (writer) =>
    message(writer, FIELD.event.sessionLog, () =>
      integer(writer, FIELD.sessionLog.status, SESSION_START),
    ),
  );
}

/** A value of a curve, which becomes a float32. */
export function scalarEvent(place: EventPlace, name: string, value: number): Uint8Array {
  return summaryEvent(place, name, (writer) =>
    writer.tag(FIELD.value.simpleValue, WireType.Bit32).float(Math.fround(value)),
  );
}

/** A text in Markdown, under the name that `SummaryWriter.add_text` gives it. */
export function textEvent(place: EventPlace, name: string, markdown: string): Uint8Array {
  return summaryEvent(place, `${name}/text_summary`, (writer) => {
    message(writer, FIELD.value.tensor, () => {
      integer(writer, FIELD.tensor.dtype, DT_STRING);
      message(writer, FIELD.tensor.shape, () =>
        message(writer, FIELD.shape.dim, () => integer(writer, FIELD.dim.size, 1)),
      );
      text(writer, FIELD.tensor.stringValue, markdown);
    });
    message(writer, FIELD.value.metadata, () =>
      message(writer, FIELD.metadata.pluginData, () =>
        text(writer, FIELD.pluginData.pluginName, 'text'),
      ),
    );
  });
}

function summaryEvent(
  place: EventPlace,
  name: string,
  content: (writer: BinaryWriter) => void,
): Uint8Array {
  return event(place, (writer) =>
    message(writer, FIELD.event.summary, () =>
      message(writer, FIELD.summary.value, () => {
        text(writer, FIELD.value.tag, name);
        content(writer);
      }),
    ),
  );
}

function event({ time, step }: EventPlace, content: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(FIELD.event.wallTime, WireType.Bit64).double(time / 1000);
  // A zero is left out, as everywhere in this edition of Protocol Buffers.
  if (step !== 0) integer(writer, FIELD.event.step, step);
  content(writer);
  return writer.finish();
}
