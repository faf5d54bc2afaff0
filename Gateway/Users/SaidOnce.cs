using System.Collections.Concurrent;

namespace Gateway.Users;

/// <summary>Whether something about a key is new: a log says it when it becomes true, and not with each request.</summary>
internal sealed class SaidOnce<TKey>
    where TKey : notnull
{
    private const int MostKeys = 10_000;

    private readonly ConcurrentDictionary<TKey, string> _said = new();

    public bool IsNew(TKey key, string what)
    {
        if (_said.TryGetValue(key, out var before) && before == what)
        {
            return false;
        }

        if (_said.Count >= MostKeys)
        {
            _said.Clear();
        }

        _said[key] = what;
        return true;
    }
}
