// A job while it runs: its numbers, its buttons, what a screen reader hears of it.
import { byId, filled, percent, texts } from "../page.js";
import { rounded, whole } from "../status/format.js";
import { fillSummary } from "./chart.js";
import { complain } from "./notice.js";
import { Pace } from "./pace.js";
import { scoring } from "./scoring.js";

const TICK_MS = 500;
const STOPS = new Set(["unauthorized", "task_not_available"]); // faults that have a sentence of their own
const SAID = 4; // parts of a job after each of which its progress is said aloud

const time = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  const values = { hours: Math.floor(minutes / 60), minutes: minutes % 60, seconds: Math.ceil(seconds % 60) };
  return filled(texts.times[minutes >= 60 ? "hours" : minutes ? "minutes" : "seconds"], values);
};

function tile(name, value, note = "") {
  const [, large, small] = document.querySelector(`[data-tile="${name}"]`).children;
  large.textContent = value;
  small.textContent = note;
}

/** One job; `state` is running, paused, stopped (by a fault that somebody has to see to), done or cancelled. */
export class Run {
  #pace = new Pace();
  #said = 0;
  #trouble; // the kind of the fault that is shown

  constructor(table, asked) {
    this.table = table;
    this.task = asked.task;
    Object.assign(this, scoring(table, asked, (fault, stopped) => this.#tell(fault, stopped)));
  }

  /** Until every row is settled or the job is cancelled. */
  async go() {
    byId("run").hidden = byId("summary").hidden = false;
    byId("prefixed").hidden = !this.prefix;
    byId("prefixed").textContent = filled(texts.prefixed, { prefix: this.prefix });
    this.#enter("running");
    byId("pause").focus();
    this.#show();
    const timer = setInterval(() => this.#show(), TICK_MS);
    try {
      await this.sender.run();
    } finally {
      clearInterval(timer);
      complain("");
      this.#show();
      this.#enter(this.sender.cancelled ? "cancelled" : "done");
      this.#show();
      byId("download").focus();
    }
  }

  /** Pauses, or goes on. */
  toggle() {
    this.#pace.restart();
    complain("");
    this.#trouble = undefined;
    if (this.state === "running") {
      this.sender.pause();
      this.#enter("paused");
    } else {
      this.sender.resume();
      this.#enter("running");
    }
  }

  #tell(fault, stopped) {
    // Every further try fails alike: it is said once.
    if (fault?.kind !== this.#trouble) complain(stopped && !STOPS.has(fault.kind) ? "stopped" : fault?.kind, fault?.message);
    this.#trouble = fault?.kind;
    if (stopped) this.#enter("stopped");
  }

  get #over() {
    return this.state === "done" || this.state === "cancelled";
  }

  get #done() {
    return this.results.done / this.table.rows.length;
  }

  #enter(state) {
    this.state = state;
    const { done, errors } = this.results;
    byId("run").dataset.state = state;
    byId("state").textContent = filled(texts.states[state === "running" && this.#said ? "past" : state], {
      done: whole(done), total: whole(this.table.rows.length), errors: whole(errors),
      percent: state === "running" ? `${(this.#said * 100) / SAID}%` : percent(this.#done),
    });
    byId("pause").hidden = byId("cancel").hidden = this.#over;
    byId("pause").textContent = state === "running" ? texts.pause : texts.resume;
    byId("download").hidden = state === "running";
  }

  #show() {
    const { done, errors } = this.results;
    const total = this.table.rows.length;
    if (this.state === "running") this.#pace.note(done, performance.now());
    byId("bar").value = this.#done;
    byId("bar").textContent = percent(this.#done);
    tile("done", whole(done), filled(texts.of, { total: whole(total), percent: percent(this.#done) }));
    tile("rate", rounded(this.#over ? this.#pace.mean : this.#pace.rate));
    const left = done === total ? 0 : this.#pace.left(total - done);
    tile("left", left === null ? "—" : time(left));
    tile("errors", whole(errors));
    fillSummary(byId("summary"), this.results, this.task);
    const part = Math.floor(this.#done * SAID);
    if (this.state === "running" && part > this.#said && part < SAID) {
      this.#said = part;
      this.#enter("running");
    }
  }
}
