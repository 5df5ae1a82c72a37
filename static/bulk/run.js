// @ts-check
// A job while it runs: its numbers, its buttons, what a screen reader hears of it.
import { askForKey } from "../key.js";
import { byId, filled, percent, texts } from "../page.js";
import { rounded, whole } from "../status/format.js";
import { complain } from "./notice.js";
import { Pace } from "./pace.js";

const TICK_MS = 500;
const PATIENCE_MS = 5000; // of somebody who sees nothing happen
const STOPS = new Set(["unauthorized", "task_not_available"]); // faults that have a sentence of their own
const SAID = 4; // parts of a job after each of which its progress is said aloud

/** @param {number} seconds */
export const time = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  const values = { hours: Math.floor(minutes / 60), minutes: minutes % 60, seconds: Math.ceil(seconds % 60) };
  return filled(texts.times[minutes >= 60 ? "hours" : minutes ? "minutes" : "seconds"], values);
};

/**
 * @param {string} name
 * @param {string} value
 * @param {string} [note]
 * @param {boolean} [hidden]
 */
function tile(name, value, note = "", hidden = false) {
  const box = /** @type {HTMLElement} */ (document.querySelector(`[data-tile="${name}"]`));
  box.hidden = hidden;
  const [, large, small] = box.children;
  large.textContent = value;
  small.textContent = note;
}

/** One job; `state` is running, paused, stopped (by a fault that somebody has to see to), done or cancelled. */
export class Run {
  #pace = new Pace();
  #said = 0;
  /** @type {string | undefined} the kind of the fault that is shown */
  #trouble;
  #until = 0;

  /**
   * @param {import("./work.js").Work} work
   * @param {() => void} changed is called now and then while it runs, and at its end
   */
  constructor(work, changed) {
    this.work = work;
    this.changed = changed;
    this.state = "paused";
    work.trouble = (fault, { stopped, until }) => this.#tell(fault, stopped, until);
  }

  /** Until every row is settled or the job is cancelled. */
  async go() {
    byId("run").hidden = false;
    this.#enter("running");
    byId("pause").focus();
    this.#show();
    const timer = setInterval(() => this.#show(), TICK_MS);
    const online = () => this.work.sender.hurry();
    const leave = () => this.work.flush();
    window.addEventListener("online", online);
    window.addEventListener("pagehide", leave);
    try {
      await this.work.sender.run();
    } finally {
      clearInterval(timer);
      window.removeEventListener("online", online);
      window.removeEventListener("pagehide", leave);
      complain("");
      this.#trouble = undefined;
      this.#enter(this.work.sender.cancelled ? "cancelled" : "done");
      this.#show();
      byId("download").focus();
    }
  }

  /** Shows a job that is over. */
  showDone() {
    byId("run").hidden = false;
    this.#enter(this.work.isDone ? "done" : "cancelled");
    this.#show();
  }

  /** Pauses, or goes on. */
  toggle() {
    this.#pace.restart();
    complain("");
    this.#trouble = undefined;
    if (this.state === "running") {
      this.work.sender.pause();
      this.#enter("paused");
    } else {
      this.work.sender.resume();
      this.#enter("running");
    }
    this.#show();
  }

  get isOver() {
    return this.state === "done" || this.state === "cancelled";
  }

  /**
   * @param {import("../api.js").Fault | null} fault
   * @param {boolean} stopped
   * @param {number} until
   */
  #tell(fault, stopped, until) {
    const kind = fault?.kind === "unreachable" && !navigator.onLine ? "offline" : fault?.kind;
    // Every further try fails alike: it is said once.
    if (kind !== this.#trouble) complain(stopped && !STOPS.has(kind ?? "") ? "stopped" : (kind ?? ""), fault?.message);
    if (kind === "unauthorized" && kind !== this.#trouble) askForKey();
    this.#trouble = kind;
    this.#until = until;
    if (stopped) this.#enter("stopped");
    this.#showNext();
  }

  /** What happens next, where the server does not answer or wants to be left alone. */
  #showNext() {
    const waits = this.state === "running" ? Math.ceil((this.#until - performance.now()) / 1000) : 0;
    const silent = this.work.sender.silence;
    byId("next").hidden = !(waits > 0);
    byId("next-when").textContent = waits > 0 ? filled(texts.next, { time: time(waits) }) : "";
    if (this.state === "running" && !(waits > 0) && silent > PATIENCE_MS && this.#trouble === undefined) {
      complain("silent");
      this.#trouble = "silent";
    } else if (this.#trouble === "silent" && silent < PATIENCE_MS) {
      complain("");
      this.#trouble = undefined;
    }
  }

  get #share() {
    return this.work.results.done / this.work.job.total;
  }

  /** @param {string} state */
  #enter(state) {
    this.state = this.work.job.state = state;
    const { done, errors } = this.work.results;
    byId("run").dataset.state = state;
    byId("state").textContent = filled(texts.states[state === "running" && this.#said ? "past" : state === "done" && errors ? "done_errors" : state], {
      done: whole(done), total: whole(this.work.job.total), errors: whole(errors),
      percent: state === "running" ? `${(this.#said * 100) / SAID}%` : percent(this.#share),
    });
    byId("pause").hidden = byId("cancel").hidden = this.isOver;
    byId("pause").textContent = state === "running" ? texts.pause : texts.resume;
    byId("downloads").hidden = state === "running";
    byId("kept").textContent = this.isOver ? "" : this.work.kept ? texts.kept : texts.not_kept;
  }

  #show() {
    const { done, errors, unsent } = this.work.results;
    const { total } = this.work.job;
    if (this.state === "running") this.#pace.note(done, performance.now());
    byId("bar").value = this.#share;
    byId("bar").textContent = percent(this.#share);
    tile("done", whole(done), filled(texts.of, { total: whole(total), percent: percent(this.#share) }));
    const rate = this.isOver ? this.#pace.mean : this.#pace.rate;
    tile("rate", rate === null ? "—" : rounded(rate), "", this.isOver && rate === null);
    const left = this.isOver ? null : this.#pace.left(total - done);
    tile("left", left === null ? "—" : time(left), "", this.isOver);
    const empty = (unsent.get("blank") ?? 0) + (unsent.get("default") ?? 0);
    tile("errors", whole(errors), empty ? filled(texts.unsent, { count: whole(empty) }) : "");
    this.#showNext();
    this.work.flush();
    this.changed();
    const part = Math.floor(this.#share * SAID);
    if (this.state === "running" && part > this.#said && part < SAID) {
      this.#said = part;
      this.#enter("running");
    }
  }
}
