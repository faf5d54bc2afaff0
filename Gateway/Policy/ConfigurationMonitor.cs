namespace Gateway.Policy;

/// <summary>Holds the configuration in force, which is replaced as a whole while the gateway runs.</summary>
internal sealed class ConfigurationMonitor(Configuration first)
{
    private readonly Lock _gate = new();
    private readonly List<Action<Configuration>> _listeners = [];
    private volatile Configuration _current = first;

    /// <summary>The configuration in force. A request reads it once, at its beginning.</summary>
    public Configuration Current => _current;

    /// <summary>Puts another configuration in force and tells the listeners.</summary>
    public void Replace(Configuration next)
    {
        Action<Configuration>[] listeners;
        lock (_gate)
        {
            _current = next;
            listeners = [.. _listeners];
        }

        foreach (var listener in listeners)
        {
            listener(next);
        }
    }

    /// <summary>Calls back after every replacement, for as long as the process lives.</summary>
    public void OnReplaced(Action<Configuration> listener)
    {
        lock (_gate)
        {
            _listeners.Add(listener);
        }
    }
}
