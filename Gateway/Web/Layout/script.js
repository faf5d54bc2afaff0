// What pages can do besides, where scripts run: everything works without.
'use strict';
(() => {
  const root = document.documentElement, store = (() => { try { return window.localStorage; } catch { return null; } })();
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const paint = theme => theme ? root.dataset.theme = theme : delete root.dataset.theme;
  paint(store?.getItem('theme'));

  const make = (name, text, attributes = {}) => {
    const one = document.createElement(name);
    one.textContent = text;
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    return one;
  };

  const toast = text => {
    all('.toast').forEach(one => one.remove());
    const one = document.body.appendChild(make('p', text, { class: 'toast', role: 'status' }));
    setTimeout(() => one.remove(), 2500);
  };

  // Exact times in the reader's own zone; what is near stays relative and grows older.
  const units = [['day', 864e5], ['hour', 36e5], ['minute', 6e4]];
  const relative = new Intl.RelativeTimeFormat(root.lang || 'en', { numeric: 'auto', style: 'short' });
  const tell = () => all('time[datetime]').forEach(one => {
    const at = new Date(one.dateTime), span = at - Date.now(), [unit, size] = units.find(each => Math.abs(span) >= each[1]) ?? [];
    one.title = at.toLocaleString();
    if ('exact' in one.dataset) one.textContent = at.toLocaleString();
    else if (unit && Math.abs(span) < 366 * 864e5) one.textContent = relative.format(Math.round(span / size), unit);
  });

  const dress = within => {
    all('.copy', within).forEach(one => {
      const place = one.closest('pre') ?? one;
      if (place.nextElementSibling?.matches('[data-copies]') || !navigator.clipboard) return;
      const button = make('button', document.body.dataset.copy, { type: 'button', class: 'small', 'data-copies': '' });
      button.addEventListener('click', () => navigator.clipboard.writeText(one.textContent.trim()).then(() => toast(document.body.dataset.copied)));
      place.after(button);
    });
    all('form[data-auto]', within).forEach(form => {
      all('select', form).forEach(one => one.addEventListener('change', () => form.requestSubmit()));
      all('input[type=search]', form).forEach(one => {
        let wait;
        one.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(() => look(form), 200); });
      });
    });
    all('[data-choose-all]', within).forEach(one => one.addEventListener('change', () =>
      all('input[name=id]').forEach(box => { box.checked = one.checked; })));
    tell();
  };

  // The same page is fetched, and the part that differs is put in place; the newest question wins.
  let asked = 0;
  const swap = async (url, selector) => {
    const mine = ++asked, answer = await fetch(url, { headers: { Accept: 'text/html' } });
    if (!answer.ok || answer.redirected || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (mine !== asked) return;
    for (const part of all(selector)) {
      const other = fresh.getElementById(part.id);
      if (other && other.innerHTML !== part.innerHTML) { part.innerHTML = other.innerHTML; dress(part); }
    }
  };
  const look = form => {
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    history.replaceState(null, '', url);
    swap(url, '[data-part]');
  };

  // What changes elsewhere: the server says that something did, and the page asks what.
  const follow = () => {
    const kind = document.querySelector('[data-live]')?.dataset.live;
    if (!kind || !window.EventSource) return;
    let source;
    const refresh = () => {
      const busy = document.querySelector('details.menu[open], input[name=id]:checked');
      if (!busy) swap(location.href, '[data-live]');
    };
    // Browsers have six connections for a host over HTTP/1.1, so pages that nobody looks at hold none.
    const watch = isSeen => {
      source?.close();
      if (!isSeen) return;
      source = new EventSource(`${document.body.dataset.base}/live?of=${kind}`);
      source.addEventListener('changed', refresh);
    };
    watch(!document.hidden);
    document.addEventListener('visibilitychange', () => { watch(!document.hidden); if (!document.hidden) refresh(); });
    window.addEventListener('pagehide', () => watch(false));
  };

  const places = { o: '/', d: '/machines', k: '/keys', p: '/users', r: '/policy', a: '/audit' };
  let leading = 0;
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') all('details.menu[open]').forEach(one => { one.open = false; one.querySelector('summary').focus(); });
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
    if (event.key === '/') {
      const search = document.querySelector('main input[type=search]') ?? document.querySelector('input[type=search]');
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === 'g') leading = Date.now();
    else if (Date.now() - leading < 1500 && places[event.key]) location.href = document.body.dataset.base + places[event.key];
  });
  document.addEventListener('click', event =>
    all('details.menu[open]').forEach(one => { if (!one.contains(event.target)) one.open = false; }));

  document.addEventListener('DOMContentLoaded', () => {
    const order = ['', 'light', 'dark'], words = document.body.dataset.themes.split('|');
    all('.foot, [data-theme-here]').forEach(one => {
      const button = make('button', '', { type: 'button', class: 'quiet small' });
      const name = () => { button.textContent = words[order.indexOf(store?.getItem('theme') ?? '')] ?? words[0]; };
      button.addEventListener('click', () => {
        const next = order[(order.indexOf(store?.getItem('theme') ?? '') + 1) % order.length];
        next ? store?.setItem('theme', next) : store?.removeItem('theme');
        paint(next);
        name();
      });
      name();
      one.append(button);
    });
    dress(document);
    setInterval(tell, 3e4);
    follow();
  });
})();
