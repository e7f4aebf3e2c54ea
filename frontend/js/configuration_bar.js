/** Choosing, making, changing and deleting a saved configuration: the bar above the numbers, and its dialog. */

import { byId, element, setText } from './dom.js';
import { parseForm } from './configurations.js';
import { TEXT } from './words.js';

/**
 * @typedef {import('./configurations.js').Configurations} Configurations
 * @typedef {import('./configurations.js').Configuration} Configuration
 * @typedef {object} Handlers
 * @property {(id: string) => void} choose
 * @property {() => readonly string[]} known tickers that there are
 * @property {(id: string | null, values: {name: string, tickers: string[]}) => Promise<void>} save a new one without an id
 * @property {(configuration: Configuration) => void} remove
 */

export class ConfigurationBar {
  #root;
  #configurations;
  #handlers;
  #select;
  #dialog;
  #name;
  #tickers;
  #save;
  /** @type {string | null} id of the one in the dialog */
  #editing = null;

  /**
   * @param {Document} root @param {Configurations} configurations @param {Handlers} handlers
   * @param {boolean} isAnonymous whether the user is one of this browser only
   */
  constructor(root, configurations, handlers, isAnonymous) {
    this.#root = root;
    this.#configurations = configurations;
    this.#handlers = handlers;
    this.#select = /** @type {HTMLSelectElement} */ (this.#id('configuration-select'));
    this.#dialog = /** @type {HTMLDialogElement} */ (this.#id('configuration-dialog'));
    this.#name = /** @type {HTMLInputElement} */ (this.#id('configuration-name'));
    this.#tickers = /** @type {HTMLInputElement} */ (this.#id('configuration-tickers'));
    this.#save = /** @type {HTMLButtonElement} */ (this.#id('configuration-save'));
    this.#select.addEventListener('change', () => handlers.choose(this.#select.value));
    this.#id('configuration-new').addEventListener('click', () => this.#open(null));
    this.#id('configuration-edit').addEventListener('click', () => this.#open(configurations.current));
    this.#id('configuration-delete').addEventListener('click', () => configurations.current && handlers.remove(configurations.current));
    this.#id('configuration-cancel').addEventListener('click', () => this.#dialog.close());
    this.#id('configuration-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#id('configuration-anonymous').hidden = !isAnonymous;
    this.#id('configurations').hidden = false;
    this.draw();
  }

  /** For who turns out to be nobody. */
  hide() {
    this.#id('configurations').hidden = true;
  }

  draw() {
    const { list, chosen, current } = this.#configurations;
    const options = [option('', TEXT.configurations.everything), ...list.map(({ config_id: id, name }) => option(id, name))];
    // Chosen, and not heard of yet.
    if (chosen !== '' && !current) options.push(option(chosen, TEXT.configurations.unknown));
    this.#select.replaceChildren(...options);
    this.#select.value = chosen;
    this.#select.title = current ? current.tickers.join(', ') : '';
    for (const id of ['configuration-edit', 'configuration-delete']) {
      /** @type {HTMLButtonElement} */ (this.#id(id)).disabled = current === null;
    }
  }

  /** @param {Configuration | null} configuration */
  #open(configuration) {
    this.#editing = configuration?.config_id ?? null;
    setText(this.#id('configuration-title'), configuration ? TEXT.configurations.edit : TEXT.configurations.new);
    this.#name.value = configuration?.name ?? '';
    this.#tickers.value = configuration?.tickers.join(', ') ?? '';
    this.#complain([], '');
    this.#save.disabled = false;
    this.#dialog.showModal();
  }

  async #submit() {
    const { mistakes, ...values } = parseForm(this.#name.value, this.#tickers.value, this.#handlers.known());
    this.#complain(mistakes.map(({ field }) => field), mistakes.map(({ detail }) => detail).join(' '));
    if (mistakes.length > 0 || this.#save.disabled) return;
    this.#save.disabled = true;
    try {
      await this.#handlers.save(this.#editing, values);
      this.#dialog.close();
    } catch (error) {
      const fields = /** @type {any} */ (error).fields ?? [];
      this.#complain(fields.map(({ field }) => String(field).split('[')[0]), error instanceof Error ? error.message : String(error));
    } finally {
      this.#save.disabled = false;
    }
  }

  /** @param {string[]} fields @param {string} text */
  #complain(fields, text) {
    setText(this.#id('configuration-error'), text);
    const inputs = { name: this.#name, tickers: this.#tickers };
    for (const [field, input] of Object.entries(inputs)) input.setAttribute('aria-invalid', String(fields.includes(field)));
    if (fields.length > 0) inputs[fields.includes('name') ? 'name' : 'tickers'].focus();
  }

  /** @param {string} id */
  #id(id) {
    return byId(this.#root, id);
  }
}

/** @param {string} value @param {string} text */
function option(value, text) {
  const node = element('option', '', text);
  node.value = value;
  return node;
}
