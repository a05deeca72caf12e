// The live parts of Web CashManager. Every form works without this file.
"use strict";

// --- Money, exactly as minitelecom.rating.cost counts it: whole millionths, one division, half up. ---

function billedSeconds(rate, seconds) {
  if (seconds <= 0) return 0;
  const steps = Math.ceil(Math.max(0, seconds - rate.initial) / rate.increment);
  return rate.initial + steps * rate.increment;
}

function costMillionths(rate, seconds) {
  const billed = billedSeconds(rate, seconds);
  if (billed === 0) return 0n;
  const sixty = BigInt(rate.fee) * 60n + BigInt(rate.sell) * BigInt(billed);
  return (sixty + 30n) / 60n;
}

function decimalText(millionths) {
  const digits = millionths.toString().padStart(7, "0");
  return digits.slice(0, -6) + "." + digits.slice(-6);
}

const formats = new Map();

function moneyText(decimal, currency, digits, language) {
  const key = [language, currency, digits].join();
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(language, {
      style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: "always",
    }));
  }
  return formats.get(key).format(decimal);
}

function durationText(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

// --- The hint beside an amount: 1500 → = €15.00. ---

function showHint(input) {
  const digits = Number(input.dataset.minorDigits);
  const typed = input.value.replace(/\s/g, "");
  const hint = document.getElementById(input.dataset.hint);
  if (!/^\d{1,12}$/.test(typed)) {
    hint.textContent = "";
    return;
  }
  const padded = typed.padStart(digits + 1, "0");
  const decimal = digits ? padded.slice(0, -digits) + "." + padded.slice(-digits) : padded;
  const english = document.documentElement.lang === "en";
  hint.textContent = "= " + moneyText(decimal, input.dataset.currency, digits, english ? "en-GB" : document.documentElement.lang);
}

// --- View Online Users: a snapshot, then numbered changes; a gap asks for a new snapshot. ---

class LiveTable {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.template = document.querySelector("template[data-live-row]").content.firstElementChild;
    this.count = document.querySelector("[data-live-count]");
    this.empty = document.querySelector("[data-live-empty]");
    this.state = document.querySelector("[data-live-state]");
    this.running = new Map();
    this.number = null;
    this.offset = 0;
    this.source = null;
    this.connect();
    document.addEventListener("visibilitychange", () => this.connect());
    setInterval(() => this.tick(), 200);
  }

  // A browser opens six connections to a site: a tab that nobody looks at gives its own back to the other pages.
  connect() {
    this.source?.close();
    this.number = null;
    if (document.hidden) return;
    this.source = new EventSource(this.table.dataset.live);
    this.source.addEventListener("snapshot", (event) => this.snapshot(JSON.parse(event.data)));
    this.source.addEventListener("delta", (event) => this.delta(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lost());
  }

  resync() {
    this.connect();
  }

  lost() {
    this.tell(false);
    if (this.source.readyState !== EventSource.CLOSED) return;  // else the browser tries again by itself
    setTimeout(() => this.askWhy(), 3000);
  }

  // The server refused the stream: either it is away, or the session has ended and the log-in page is due.
  async askWhy() {
    try {
      const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
      if (answer.type === "opaqueredirect") location.reload();
      else this.connect();
    } catch {
      setTimeout(() => this.askWhy(), 3000);
    }
  }

  snapshot(data) {
    const here = new Set(data.rows.map((row) => row.id));
    const gone = [...this.body.rows].map((row) => row.dataset.id).filter((id) => !here.has(id));
    this.apply({ ...data, gone });
    this.tell(true);
  }

  delta(data) {
    if (this.number === null || data.number !== this.number + 1) {
      this.resync();
      return;
    }
    this.apply(data);
  }

  apply(data) {
    this.number = data.number;
    this.offset = data.now - performance.now();
    for (const id of data.gone) {
      this.running.delete(id);
      this.find(id)?.remove();
    }
    for (const row of data.rows) this.show(row);
    this.count.textContent = this.body.rows.length;
    this.empty.hidden = this.body.rows.length > 0;
    this.tick();
  }

  find(id) {
    return [...this.body.rows].find((row) => row.dataset.id === id);
  }

  show(row) {
    let line = this.find(row.id);
    if (!line) {
      line = this.template.cloneNode(true);
      line.dataset.id = row.id;
      line.classList.add("arrived");
      this.body.append(line);
    }
    const [account, calling, destination, step, since, talk, cost] = line.cells;
    this.showAccount(account, row.account);
    setText(calling, row.calling || "–");
    setText(destination.querySelector(".code"), row.called || "–");
    setText(destination.querySelector("small"), row.destination);
    setText(step, row.step);
    setText(since, row.since);
    line.classList.toggle("talking", Boolean(row.running));
    if (row.running) {
      this.running.set(row.id, { ...row.running, talk, cost });
    } else {
      this.running.delete(row.id);
      setText(talk, "–");
      setText(cost, "–");
    }
  }

  showAccount(cell, account) {
    if (cell.textContent === (account || "–")) return;
    cell.textContent = account ? "" : "–";
    if (!account) return;
    const link = document.createElement("a");
    link.href = "/recharge?number=" + encodeURIComponent(account);
    link.textContent = account;
    cell.append(link);
  }

  tick() {
    const now = performance.now() + this.offset;
    for (const call of this.running.values()) {
      let seconds = Math.max(0, Math.floor((now - call.answered) / 1000));
      if (call.promised !== null) seconds = Math.min(seconds, call.promised);
      setText(call.talk, durationText(seconds));
      const rate = call.rate;
      setText(call.cost, rate ? this.money(rate, seconds) : "–");
    }
  }

  money(rate, seconds) {
    return moneyText(decimalText(costMillionths(rate, seconds)), rate.currency, rate.digits, this.table.dataset.language);
  }

  tell(live) {
    this.state.hidden = false;
    this.state.className = live ? "pill listening" : "pill bad";
    setText(this.state, live ? this.state.dataset.live : this.state.dataset.lost);
  }
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// --- Small help. ---

let liveTable = null;

function start() {
  for (const input of document.querySelectorAll("[data-minor-digits]")) {
    input.addEventListener("input", () => showHint(input));
    showHint(input);
  }
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    const boxes = [...all.closest("table").querySelectorAll("tbody input[type=checkbox]")];
    all.hidden = false;
    all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", () => setTimeout(() => {
      for (const button of form.querySelectorAll("button")) {
        button.disabled = true;
        button.setAttribute("aria-busy", "true");
      }
    }));
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[aria-busy]")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  });
  const table = document.querySelector("table[data-live]");
  if (table) liveTable = new LiveTable(table);
}

start();
