namespace Gateway.Settings;

/// <summary>How a line of the log looks.</summary>
internal enum LogFormat
{
    None = 0,

    /// <summary>For systemd's journal where it reads the output, else text.</summary>
    Auto,
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,

    /// <summary>With the priorities of syslog in front, as journald reads them (sd-daemon(3)).</summary>
    Journald,
}

/// <summary>The section <c>log</c>.</summary>
/// <param name="Level">The least level that is written.</param>
/// <param name="Requests">Whether each request is a line.</param>
internal sealed record LogSettings(LogFormat Format, LogLevel Level, bool Requests)
{
    public static LogSettings Read(YamlMap map) => new(
        map.Word("format") switch
        {
            "text" => LogFormat.Text,
            "json" => LogFormat.Json,
            "journald" => LogFormat.Journald,
            _ => LogFormat.Auto,
        },
        map.Word("level") switch
        {
            "debug" => LogLevel.Debug,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        },
        map.Flag("requests"));
}
